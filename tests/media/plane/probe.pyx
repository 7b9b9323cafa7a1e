"""Opens the plane's parsers to their tests: each call goes straight to the inline function of the same name."""

from libc.stdint cimport int64_t, uint8_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy

from media.plane.allocation cimport RUNGS
from media.plane.bits cimport unwrap16 as c_unwrap16, unwrap_bits as c_unwrap_bits
from media.plane.feedback cimport (
    arrivals_note, arrivals_t, read_transport_cc, results_t, sent_close, sent_note, sent_open, sent_t, write_transport_cc,
)
from media.plane.dependency cimport dependency_t, indication, parse_dependency, structure_t
from media.plane.descriptor cimport write_dependency
from media.plane.extensions cimport DEPENDENCY_LONGEST, described_t
from media.plane.frames cimport frame_need
from media.plane.framing cimport FRAME_TOO_LONG, FRAME_WANTS_MORE, frame_reader_t, next_frame
from media.plane.payload cimport CODEC_AV1, CODEC_H264, CODEC_OPAQUE, CODEC_VP8, CODEC_VP9, payload_t
from media.plane.payload cimport parse_payload as c_parse_payload
from media.plane.red cimport parse_red as c_parse_red, red_t
from media.plane.rtcp cimport next_rtcp, rtcp_t, write_nack as c_write_nack
from media.plane.rtp cimport element_t, next_element, parse_rtp as c_parse_rtp, rtp_t


def unwrap16(last, value):
    return c_unwrap16(last, value)


def unwrap_bits(last, value, bits):
    return c_unwrap_bits(last, value, bits)


cdef class Exact:
    """A copy on the heap, no byte longer, so that reading past the end is an error under a sanitizer."""
    cdef uint8_t *at
    cdef int length

    def __cinit__(self, bytes data):
        self.length = <int>len(data)
        self.at = <uint8_t *>malloc(max(len(data), 1))
        memcpy(self.at, <const char *>data, len(data))

    def __dealloc__(self):
        free(self.at)


def parse_rtp(data):
    cdef Exact exact = Exact(data)
    cdef rtp_t rtp
    cdef element_t element
    cdef int cursor
    if not c_parse_rtp(&rtp, exact.at, exact.length):
        return None
    elements = []
    cursor = rtp.extensions_at
    while next_element(&rtp, exact.at, &cursor, &element):
        elements.append((element.id, data[element.at : element.at + element.length]))
    payload = data[rtp.payload_at : rtp.payload_at + rtp.payload_length]
    return bool(rtp.marker), rtp.payload_type, rtp.sequence, rtp.timestamp, rtp.ssrc, elements, payload


def parse_payload(codec, data):
    cdef Exact exact = Exact(data)
    cdef payload_t payload
    codecs = {"vp8": CODEC_VP8, "vp9": CODEC_VP9, "h264": CODEC_H264, "av1": CODEC_AV1, "opus": CODEC_OPAQUE}
    if not c_parse_payload(&payload, codecs[codec], exact.at, exact.length):
        return None
    return {
        "key": bool(payload.key), "first": bool(payload.first),
        "picture": payload.picture if payload.picture_bits else None, "bits": payload.picture_bits,
        "tl0": payload.tl0 if payload.tl0_at else None, "key_index": payload.key_index,
        "temporal": payload.temporal if payload.has_layer else None, "sync": bool(payload.layer_sync),
        "spatial": payload.spatial, "last": bool(payload.last), "predicted": bool(payload.predicted),
        "stacked": bool(payload.stacked), "up": bool(payload.up_switch), "flexible": bool(payload.flexible),
        "references": [payload.references[i] for i in range(payload.reference_count)],
    }


cdef class Dependencies:
    """Descriptors of one stream, read in turn."""
    cdef structure_t structure

    def read(self, data):
        """None when it is no descriptor; `needs` are those of the 16 rungs."""
        cdef Exact exact = Exact(data)
        cdef dependency_t dependency
        if not parse_dependency(&dependency, &self.structure, exact.at, exact.length):
            return None
        told = {"first": bool(dependency.first), "last": bool(dependency.last), "number": dependency.number}
        if not dependency.whole:
            return told
        return told | {
            "structure": bool(dependency.new_structure),
            "active": format(dependency.active, f"0{self.structure.targets}b") if dependency.masked else "",
            "spatial": dependency.frame.spatial, "temporal": dependency.frame.temporal,
            "references": [dependency.frame.references[i] for i in range(dependency.frame.reference_count)],
            "needs": "".join("-RS?"[frame_need(&dependency.frame, rung)] for rung in range(RUNGS)),
        }

    def rewrite(self, data, number, active):
        """The descriptor, which is read first, with another number and mask; None when it is none."""
        cdef Exact exact = Exact(data)
        cdef dependency_t dependency
        cdef described_t described
        cdef uint8_t *out
        if len(data) > <int>DEPENDENCY_LONGEST or not parse_dependency(&dependency, &self.structure, exact.at, exact.length):
            return None
        described.length = <uint8_t>exact.length
        described.targets = self.structure.targets if dependency.whole else 0
        described.mask_at = dependency.mask_at
        out = <uint8_t *>malloc(DEPENDENCY_LONGEST)
        try:
            return (<const char *>out)[: write_dependency(out, exact.at, &described, number, active)]
        finally:
            free(out)

    @property
    def reach(self):
        """What each of the 16 rungs makes decodable, as a mask."""
        return [format(self.structure.rung_reach[rung], f"0{self.structure.targets}b") for rung in range(RUNGS)]

    @property
    def active(self):
        return format(self.structure.active, f"0{self.structure.targets}b")

    @property
    def templates(self):
        """(spatial, temporal, indications, references) of each; None before there is a structure."""
        if not self.structure.known:
            return None
        return [
            (
                self.structure.templates[i].spatial, self.structure.templates[i].temporal,
                "".join(
                    "-DSR"[indication(self.structure.templates[i].indications, target)]
                    for target in range(self.structure.targets)
                ),
                tuple(
                    self.structure.templates[i].references[k]
                    for k in range(self.structure.templates[i].reference_count)
                ),
            )
            for i in range(self.structure.count)
        ]

    @property
    def keyed(self):
        return bool(self.structure.keyed)


def parse_red(data, payload_type):
    """The packet's own frame and the copies as (timestamp offset, frame), oldest first; None when broken."""
    cdef Exact exact = Exact(data)
    cdef red_t red
    if not c_parse_red(&red, exact.at, exact.length, payload_type):
        return None
    copies = [
        (red.copies[i].back, data[red.copies[i].at : red.copies[i].at + red.copies[i].length])
        for i in range(red.count)
    ]
    return data[red.own_at : red.own_at + red.own_length], copies


def rtcp_packets(data):
    cdef Exact exact = Exact(data)
    cdef rtcp_t packet
    cdef int cursor = 0
    cdef int status = next_rtcp(exact.at, exact.length, &cursor, &packet)
    packets = []
    while status == 1:
        packets.append((packet.type, packet.count, data[packet.at : packet.end]))
        status = next_rtcp(exact.at, exact.length, &cursor, &packet)
    return packets, status == 0


def write_nack(wanted):
    cdef uint8_t out[1024]
    cdef int64_t numbers[128]
    for i, number in enumerate(wanted):
        numbers[<int>i] = number
    return (<const char *>out)[: c_write_nack(out, 1, 2, numbers, <int>len(wanted))]


cdef class Arrivals:
    cdef arrivals_t *arrivals

    def __cinit__(self):
        self.arrivals = <arrivals_t *>calloc(1, sizeof(arrivals_t))

    def __dealloc__(self):
        free(self.arrivals)

    def note(self, sequence, now):
        arrivals_note(self.arrivals, sequence, 9, now)

    def message(self):
        cdef uint8_t out[2048]
        return (<const char *>out)[: write_transport_cc(self.arrivals, out, 8)]


cdef class Sent:
    cdef sent_t *sent
    cdef results_t *last

    def __cinit__(self):
        self.sent = <sent_t *>calloc(1, sizeof(sent_t))
        sent_open(self.sent)
        self.last = <results_t *>calloc(1, sizeof(results_t))

    def __dealloc__(self):
        sent_close(self.sent)
        free(self.sent)
        free(self.last)

    @property
    def room(self):
        return self.sent.room

    def note(self, size, now):
        return sent_note(self.sent, size, now)

    def read(self, data, now=0):
        """A whole feedback packet, common header included."""
        cdef Exact exact = Exact(data)
        return bool(read_transport_cc(self.sent, self.last, exact.at, 4, exact.length, now))

    @property
    def results(self):
        """Of the last packet read."""
        return [
            (
                self.last.items[i].sent_us, self.last.items[i].arrival_us, self.last.items[i].size,
                bool(self.last.items[i].late),
            )
            for i in range(self.last.count)
        ]


cdef class FrameReader:
    """Frames out of pieces of a byte stream; None for one that is too long."""
    cdef frame_reader_t reader

    def read(self, data):
        cdef Exact exact = Exact(data)
        cdef int at = 0
        cdef int length = next_frame(&self.reader, exact.at, exact.length, &at)
        frames = []
        while length != FRAME_WANTS_MORE:
            frames.append(None if length == FRAME_TOO_LONG else (<const char *>self.reader.bytes)[:length])
            length = next_frame(&self.reader, exact.at, exact.length, &at)
        return frames
