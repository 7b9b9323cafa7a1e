# What Python keeps of each object, and the checking and building of arguments.

import ctypes
import os
import socket as sockets_module

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, intptr_t, uint8_t, uint16_t, uint32_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcpy, memset

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from pylibsrtp import Policy, Session, _binding as srtp_binding
from pylibsrtp._binding import ffi as srtp_ffi, lib as srtp_lib

cdef extern from "stdlib.h" nogil:
    void *aligned_alloc(size_t alignment, size_t size)

from media.plane.allocation cimport NO_RUNG, SPATIAL_MOST
from media.plane.address cimport TABLE_SLOTS, address_t, table_t
from media.plane.batch cimport BATCH_BYTES, DATAGRAM_ROOM, batch_clear, batch_t, message_t
from media.plane.clockwork cimport core_advance
from media.plane.commands cimport *
from media.plane.connections cimport (
    HUITANG_TCP_NAMED, HUITANG_TCP_NAMES, TCP_ACCEPTED, TCP_COUNTS, close_fd, connection_t, connections_of, connections_t,
    find_connection,
)
from media.plane.dependency cimport structure_t
from media.plane.demux cimport DATAGRAM_MOST, control_t, core_receive, receive_media
from media.plane.drops cimport DROP_COUNT, HUITANG_DROP_NAMED, HUITANG_DROP_NAMES
from media.plane.exchange cimport EXCHANGE_BYTES, GIVEN_CONNECTION, HUITANG_LETTERS, given_t, wake_takers
from media.plane.extensions cimport *
from media.plane.estimator cimport estimator_t
from media.plane.feedback cimport arrivals_t, sent_close, sent_open, sent_t
from media.plane.floor cimport speaks_now
from media.plane.forward cimport TAP_RECORD_PACKET, tap_record_t
from media.plane.frames cimport frames_t
from media.plane.lists cimport list_free
from media.plane.objects cimport *
from media.plane.parameters cimport sets_note, sets_t
from media.plane.payload cimport CODEC_AV1, CODEC_H264, CODEC_OPAQUE, CODEC_VP8, CODEC_VP9
from media.plane.queue cimport queue_close, queue_front, queue_open, queue_pop, queue_push, queue_t
from media.plane.resend cimport RESEND_TOKENS
from media.plane.ring cimport ring_close, ring_open
from media.plane.rtcp cimport CNAME_MOST
from media.plane.sending cimport deliver_all, event_t
from media.plane.spans cimport spans_close, spans_open
from media.plane.seal cimport *
from media.plane.selection cimport selection_t
from media.plane.srtp cimport srtp_function_t, srtp_remove_t
from media.plane.ssrcs cimport ssrcs_close
from media.plane.stream cimport stream_came, stream_expected, stream_t
from media.plane.taking cimport take_round
from media.plane.tcp cimport (
    admit_connection, connections_round, end_connections, listen_on, make_epoll, sweep_connections,
)
from media.plane.timers cimport timers_close
from media.plane.word cimport word_t

from media.plane.types import (
    ConsumerStatistics, Datagram, Event, EventKind, PlaneBusyError, PlaneStatistics, ProducerStatistics, Profile,
    Reception, SenderReport, StaleHandleError, TapBatch, TransportStatistics,
)

DROP_REASONS = tuple((<bytes>HUITANG_DROP_NAMES[i]).decode() for i in range(HUITANG_DROP_NAMED))
if len(DROP_REASONS) != DROP_COUNT:
    raise ImportError("drops.pxd names not as many reasons as it counts")
cdef tuple TCP_NAMES = tuple((<bytes>HUITANG_TCP_NAMES[i]).decode() for i in range(HUITANG_TCP_NAMED))
if len(TCP_NAMES) != TCP_COUNTS:
    raise ImportError("connections.pxd names not as many ends as it counts")

cdef dict EXTENSION_KINDS = {
    "urn:ietf:params:rtp-hdrext:sdes:mid": EXT_MID,
    "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id": EXT_RID,
    "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id": EXT_REPAIRED_RID,
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time": EXT_ABS_SEND_TIME,
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01": EXT_TRANSPORT_CC,
    "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension": EXT_DEPENDENCY,
    "urn:ietf:params:rtp-hdrext:ssrc-audio-level": EXT_AUDIO_LEVEL,
    "urn:3gpp:video-orientation": EXT_VIDEO_ORIENTATION,
    "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay": EXT_PLAYOUT_DELAY,
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time": EXT_ABS_CAPTURE_TIME,
}
cdef dict VIDEO_CODECS = {"vp8": CODEC_VP8, "vp9": CODEC_VP9, "h264": CODEC_H264, "av1": CODEC_AV1}
cdef dict SRTP_PROFILES = {
    Profile.AES_CM_128_HMAC_SHA1_80: (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 30),
    Profile.AEAD_AES_128_GCM: (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 28),
    Profile.AEAD_AES_256_GCM: (Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 44),
}

cdef enum:
    VIDEO_SLOTS = 256
    VIDEO_SLOTS_MOST = 1024  # four seconds at 2.5 Mbit/s
    VIDEO_RING = 1 << 16
    VIDEO_RING_MOST = 1 << 20
    AUDIO_SLOTS = 128
    AUDIO_RING = 1 << 13
    AUDIO_RING_MOST = 1 << 16
    VIDEO_SPANS = 64
    AUDIO_SPANS = 8
    TAP_MOST = 65536
    REPLAY_WINDOW = 1024  # packets; Wi-Fi retries and RTX arrive late

cdef enum record_kind_t:
    TRANSPORT
    PRODUCER
    CONSUMER
    TAP
    FLOOR

REMOVALS = (REMOVE_TRANSPORT, REMOVE_PRODUCER, REMOVE_CONSUMER, REMOVE_FLOOR)


@cython.no_gc_clear
cdef class Record:
    """An object of the plane, as Python knows it: where it lies and what hangs on it."""
    cdef void *target
    cdef int kind
    cdef object handle  # a number
    cdef list children  # handles; None where nothing can hang on it
    cdef tuple parents  # records
    cdef tuple ssrcs  # its own

    def __cinit__(self):
        self.parents = ()
        self.ssrcs = ()


@cython.no_gc_clear
cdef class TransportRecord(Record):
    """And what must live as long as the transport."""
    cdef set consumes  # SSRCs of its consumers
    cdef set publishes  # SSRCs of its producers
    cdef set addresses  # what the plane was told, though it may have lost some since
    cdef list sessions
    cdef bint has_arrivals
    cdef bint has_sent

    def __cinit__(self):
        self.consumes = set()
        self.publishes = set()
        self.addresses = set()
        self.sessions = []


@cython.no_gc_clear
cdef class TapRecord(Record):
    cdef queue_t tap
    cdef uint64_t overflow_told


cdef int read_address(object value, address_t *address) except -1:
    if not isinstance(value, bytes) or len(value) != sizeof(address_t):
        raise ValueError(f"an address of the plane has {sizeof(address_t)} bytes")
    memcpy(address, PyBytes_AS_STRING(value), sizeof(address_t))
    if address.ipv6 > 1:
        raise ValueError("not an address of the plane")
    return 0


cdef bytes show_address(const address_t *address):
    return PyBytes_FromStringAndSize(<const char *>address, sizeof(address_t))


def host_and_port(object address):
    cdef address_t parsed
    read_address(address, &parsed)
    port = sockets_module.ntohs(parsed.port)
    if parsed.ipv6:
        return sockets_module.inet_ntop(sockets_module.AF_INET6, address[:16]), port
    return sockets_module.inet_ntop(sockets_module.AF_INET, address[12:16]), port


def is_tcp(object address):
    cdef address_t parsed
    read_address(address, &parsed)
    return parsed.socket == TCP_SOCKET


cdef int number(object value, str what, int64_t least, int64_t most) except? -1:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{what} must be a whole number from {least} to {most}")
    return 0


cdef uint32_t read_ssrc(object value, str what) except? 0:
    number(value, what, 0, 0xFFFFFFFF)
    return value


cdef bytes short_text(object value, str what, int most):
    data = value.encode() if isinstance(value, str) else None
    if data is None or len(data) > most:
        raise ValueError(f"{what} must be text of at most {most} bytes")
    return data


cdef dict known_extensions(object extensions):
    """`{kind: id}` of the extensions the plane knows."""
    found = {}
    for uri, number_ in dict(extensions).items():
        number(number_, "a header extension's id", 1, 255)
        if number_ == 15:
            raise ValueError("header extension id 15 is reserved")
        if uri in EXTENSION_KINDS:
            found[EXTENSION_KINDS[uri]] = number_
    if len(set(found.values())) != len(found):
        raise ValueError("two header extensions share an id")
    return found


cdef object srtp_session(object profile, object key, int direction):
    if profile not in SRTP_PROFILES:
        raise ValueError("unknown SRTP profile")
    name, length = SRTP_PROFILES[profile]
    if not isinstance(key, bytes) or len(key) != length:
        raise ValueError(f"this SRTP profile's key and salt have {length} bytes together")
    policy = Policy(key=key, ssrc_type=direction, srtp_profile=name)
    # Sending keeps libsrtp's own window of 128: a longer one costs each packet more than all else in libsrtp, and a
    # packet recovered later than that reaches the subscriber as RTX instead.
    if direction == Policy.SSRC_ANY_INBOUND:
        policy.window_size = REPLAY_WINDOW
    # A plain retransmission (no RTX negotiated) is the very same packet, and only that is ever sent twice.
    policy.allow_repeat_tx = direction == Policy.SSRC_ANY_OUTBOUND
    return Session(policy)


cdef void *srtp_pointer(object session) except NULL:
    return <void *><intptr_t>int(srtp_ffi.cast("intptr_t", session._srtp[0]))


cdef srtp_function_t srtp_function(str name) except NULL:
    return <srtp_function_t><intptr_t>int(srtp_ffi.cast("intptr_t", srtp_ffi.addressof(srtp_lib, name)))
