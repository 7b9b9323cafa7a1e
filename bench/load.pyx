# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The native half of the load generator: a paced publisher, counting receivers, and the floor to compare with.

Everything here runs without the GIL on threads that `bench` makes, so that the measuring side never waits for
Python. Sizes and pace are the published comparison's: VP8 at 30 frames a second of four packets of 1,100 bytes,
Opus at 50 packets a second.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from bench.datagrams cimport (
    BATCH, CLOCK_MONOTONIC, CLOCK_REALTIME, MSG_DONTWAIT, batch_arrival, batch_data, batch_datagrams,
    batch_length, batch_receive, batch_segment, clock_ns, close, epoll_create1, epoll_event, epoll_wait,
    receive_batch, recv, send, send_segments, sendto, sleep_until, sockaddr_in, srtp_function, take_whole, watch,
    write_address,
)

from media.plane.scheduling cimport hasten

from threading import Event

from pylibsrtp._binding import ffi as _ffi
from pylibsrtp._binding import lib as _lib

cdef srtp_function PROTECT = <srtp_function> <uintptr_t> int(_ffi.cast("uintptr_t", _ffi.addressof(_lib, "srtp_protect")))
cdef srtp_function UNPROTECT = <srtp_function> <uintptr_t> int(_ffi.cast("uintptr_t", _ffi.addressof(_lib, "srtp_unprotect")))

cdef enum:
    VIDEO_SIZE = 1100  # bytes of one RTP packet, header included
    AUDIO_SIZE = 120
    PACKETS_A_FRAME = 4
    FRAMES_A_SECOND = 30
    AUDIO_A_SECOND = 50
    KEY_FRAME_EVERY = 30  # frames: a subscriber that joins late starts within a second
    HEADER = 12
    TRAILER = 16  # bytes SRTP adds: the AEAD_AES_128_GCM tag
    LATENCIES = 1 << 20
    PUBLISHING = -10  # nicenesses: real publishers have machines of their own, and so have subscribers; what one of these
    RECEIVING = -9  # does not read at once makes the sender take new memory for each packet
    LATE_NS = 1_000_000  # what a publisher sends so long after it was due is late


def session_pointer(session):
    """The `srtp_t` of a pylibsrtp Session as an integer; the Session must outlive its use here."""
    return int(_ffi.cast("uintptr_t", session._srtp[0]))


cdef inline void put16(uint8_t *at, uint32_t value) noexcept nogil:
    at[0] = (value >> 8) & 0xFF
    at[1] = value & 0xFF


cdef inline void put32(uint8_t *at, uint32_t value) noexcept nogil:
    put16(at, value >> 16)
    put16(at + 2, value & 0xFFFF)


cdef void write_rtp(uint8_t *packet, uint8_t payload_type, bint marker, uint16_t sequence, uint32_t timestamp,
                    uint32_t ssrc) noexcept nogil:
    packet[0] = 0x80
    packet[1] = (0x80 if marker else 0) | payload_type
    put16(packet + 2, sequence)
    put32(packet + 4, timestamp)
    put32(packet + 8, ssrc)


cdef void write_vp8(uint8_t *payload, int index, uint32_t frame, bint key_frame) noexcept nogil:
    """A VP8 payload descriptor with a 15-bit picture id (RFC 7741 section 4.2), then the frame tag's first byte."""
    payload[0] = 0x80 | (0x10 if index == 0 else 0)
    payload[1] = 0x80
    put16(payload + 2, 0x8000 | (frame & 0x7FFF))
    payload[4] = 0x10 if key_frame else 0x11


cdef class Pace:
    """When the next video frame and the next audio packet are due, in ns of CLOCK_MONOTONIC."""
    cdef int64_t video_start
    cdef int64_t audio_start
    cdef int64_t frames
    cdef int64_t audio

    cdef void begin(self, int64_t video_start, int64_t audio_start) noexcept nogil:
        """The next frame and the next voice are due then; both count on."""
        self.video_start = video_start - self.frames * 1000000000 // FRAMES_A_SECOND
        self.audio_start = audio_start - self.audio * 1000000000 // AUDIO_A_SECOND

    cdef int64_t next_frame(self) noexcept nogil:
        return self.video_start + self.frames * 1000000000 // FRAMES_A_SECOND

    cdef int64_t next_audio(self) noexcept nogil:
        return self.audio_start + self.audio * 1000000000 // AUDIO_A_SECOND


cdef class Publisher:
    """Sends one VP8 and one Opus stream at the published pace from a connected UDP socket, encrypted."""
    cdef int fd
    cdef void *session
    cdef uint32_t video_ssrc, audio_ssrc
    cdef uint8_t video_type, audio_type
    cdef uint16_t video_sequence, audio_sequence
    cdef Pace pace
    cdef volatile bint stopped
    cdef readonly uint64_t sent
    cdef readonly uint64_t late

    def __init__(self, int fd, uintptr_t session, *, uint32_t video_ssrc, uint32_t audio_ssrc,
                 uint8_t video_type, uint8_t audio_type):
        self.fd = fd
        self.session = <void *> session
        self.video_ssrc, self.audio_ssrc = video_ssrc, audio_ssrc
        self.video_type, self.audio_type = video_type, audio_type
        self.video_sequence, self.audio_sequence = 1000, 2000
        self.pace = Pace()
        self.stopped = False
        self.sent = 0
        self.late = 0  # frames and voices that were due a millisecond ago

    def stop(self):
        self.stopped = True

    def run(self, double video_after=0.0, double audio_after=0.005):
        """Publish until `stop` is called, from whichever thread calls this; called again, go on as after a pause.

        The first frame, a key frame for those who came in the pause, and the first voice go so many seconds from now.
        """
        cdef uint8_t packet[VIDEO_SIZE + 64]
        cdef uint8_t incoming[2048]
        cdef int64_t due
        cdef int index
        cdef Pace pace = self.pace
        cdef int64_t now = clock_ns(CLOCK_MONOTONIC)
        cdef int64_t first = pace.frames
        self.stopped = False
        pace.begin(now + <int64_t> (video_after * 1e9), now + <int64_t> (audio_after * 1e9))
        memset(packet, 0x55, sizeof(packet))
        with nogil:
            hasten(PUBLISHING)
            while not self.stopped:
                due = min(pace.next_frame(), pace.next_audio())
                sleep_until(due)
                self.late += clock_ns(CLOCK_MONOTONIC) - due > LATE_NS
                while recv(self.fd, incoming, sizeof(incoming), MSG_DONTWAIT) >= 0:
                    pass  # receiver reports and feedback; this publisher has nothing to change
                if due == pace.next_frame():
                    for index in range(PACKETS_A_FRAME):
                        write_rtp(packet, self.video_type, index == PACKETS_A_FRAME - 1, self.video_sequence,
                                  <uint32_t> (pace.frames * (90000 // FRAMES_A_SECOND)), self.video_ssrc)
                        write_vp8(packet + HEADER, index, <uint32_t> pace.frames, (pace.frames - first) % KEY_FRAME_EVERY == 0)
                        self.send(packet, VIDEO_SIZE)
                        self.video_sequence += 1
                    pace.frames += 1
                else:
                    write_rtp(packet, self.audio_type, pace.audio == 0, self.audio_sequence,
                              <uint32_t> (pace.audio * (48000 // AUDIO_A_SECOND)), self.audio_ssrc)
                    self.send(packet, AUDIO_SIZE)
                    self.audio_sequence += 1
                    pace.audio += 1

    cdef void send(self, uint8_t *packet, int size) noexcept nogil:
        cdef uint8_t protected[VIDEO_SIZE + 64]
        cdef int64_t now = clock_ns(CLOCK_REALTIME)
        cdef int length = size
        memcpy(packet + size - 8, &now, 8)
        memcpy(protected, packet, size)
        if PROTECT(self.session, protected, &length) == 0 and send(self.fd, protected, length, 0) == length:
            self.sent += 1


cdef class Receivers:
    """Counts what arrives at many UDP sockets; some of them also decrypt it and measure how long it was on its way."""
    cdef list fds
    cdef void **sessions
    cdef volatile bint stopped
    cdef uint64_t *packets
    cdef float *latencies
    cdef int64_t *arrivals
    cdef uint32_t *whose
    cdef uint64_t measured
    cdef readonly object begun

    def __init__(self, list fds, dict sessions, bint whole=False):
        """`sessions`: the receiving `srtp_t` of those whose latency is to be measured, by their place in `fds`.

        `whole`: they take segmented sends uncut (UDP_GRO), as a network card does; OSError.
        """
        self.fds = fds
        self.stopped = False
        self.begun = Event()  # set once what had come before `run` is thrown away
        self.measured = 0
        self.sessions = <void **> calloc(len(fds), sizeof(void *))
        self.packets = <uint64_t *> calloc(len(fds), sizeof(uint64_t))
        self.latencies = <float *> calloc(LATENCIES, sizeof(float))
        self.arrivals = <int64_t *> calloc(LATENCIES, sizeof(int64_t))
        self.whose = <uint32_t *> calloc(LATENCIES, sizeof(uint32_t))
        if (
            self.sessions == NULL or self.packets == NULL or self.latencies == NULL or self.arrivals == NULL
            or self.whose == NULL
        ):
            raise MemoryError
        for place, session in sessions.items():
            self.sessions[<int> range(len(fds))[place]] = <void *> <uintptr_t> session
        if whole:
            for fd in fds:
                if take_whole(fd) < 0:
                    raise OSError("this kernel has no UDP_GRO")

    def __dealloc__(self):
        free(self.sessions)
        free(self.packets)
        free(self.latencies)
        free(self.arrivals)
        free(self.whose)

    def stop(self):
        self.stopped = True

    def counts(self):
        """RTP packets received so far, one number a socket."""
        return [self.packets[index] for index in range(len(self.fds))]

    def take_latencies(self):
        """By a subscriber's place, when each packet came to its socket, in seconds since the epoch, and how many milliseconds
        after the publisher's send call; forgets them."""
        taken = {place: [] for place in range(len(self.fds)) if self.sessions[<int> place] != NULL}
        for index in range(self.measured):
            taken[self.whose[index]].append((self.arrivals[index] / 1e9, self.latencies[index]))
        self.measured = 0
        return taken

    def run(self):
        """Receive until `stop` is called, from whichever thread calls this."""
        cdef epoll_event events[64]
        cdef receive_batch *batch = <receive_batch *> calloc(1, sizeof(receive_batch))
        cdef int epoll = epoll_create1(0)
        cdef int ready, event, count, index
        cdef int sockets = len(self.fds)
        cdef uint32_t socket
        cdef int fd
        cdef int *fds = <int *> calloc(len(self.fds), sizeof(int))
        if batch == NULL or fds == NULL:
            raise MemoryError
        for index, number in enumerate(self.fds):
            fds[index] = number
            watch(epoll, number, index)
        with nogil:
            # A megabyte waits at each socket since it was last read: it must not count as what comes now.
            for index in range(sockets):
                while not self.stopped and batch_receive(batch, fds[index], False) == BATCH:
                    pass
        self.begun.set()
        with nogil:
            hasten(RECEIVING)
            while not self.stopped:
                ready = epoll_wait(epoll, events, 64, 50)
                for event in range(ready):
                    socket = events[event].data.u32
                    fd = fds[socket]
                    count = BATCH
                    while count == BATCH:
                        count = batch_receive(batch, fd, self.sessions[socket] != NULL)
                        for index in range(count):
                            self.take(batch, index, socket)
        close(epoll)
        free(batch)
        free(fds)

    cdef void take(self, receive_batch *batch, int index, uint32_t socket) noexcept nogil:
        cdef uint8_t *data = batch_data(batch, index)
        cdef int length = batch_length(batch, index)
        cdef int segment = batch_segment(batch, index)
        cdef int at = 0
        if length < HEADER or data[0] < 128 or data[0] > 191 or 64 <= (data[1] & 0x7F) < 96:
            return  # STUN, DTLS or RTCP (RFC 7983, RFC 5761)
        self.packets[socket] += batch_datagrams(batch, index)
        if self.sessions[socket] == NULL:
            return
        while at < length:
            self.measure(data + at, min(segment, length - at) if segment else length, batch_arrival(batch, index), socket)
            at += segment if segment else length

    cdef void measure(self, uint8_t *data, int length, int64_t arrived, uint32_t socket) noexcept nogil:
        """Decrypt a packet and look when it was sent; one that was cut off is not authentic."""
        cdef int64_t sent
        if self.measured >= LATENCIES or UNPROTECT(self.sessions[socket], data, &length) != 0 or length < HEADER + 8:
            return
        memcpy(&sent, data + length - 8, 8)
        if arrived > sent:
            self.latencies[self.measured] = (arrived - sent) / 1e6
            self.arrivals[self.measured] = arrived
            self.whose[self.measured] = socket
            self.measured += 1


def floor(int fd, bytes address, list ports, list sessions, double seconds, bint segmented):
    """What the simplest server would cost: the same packets to `ports` of an IPv4 `address` at the same pace.

    `sessions` holds one sending `srtp_t` a receiver. `segmented` sends each receiver's frame with one UDP_SEGMENT
    call, else each packet with one sendto. Returns the number of packets sent.
    """
    cdef int receivers = len(ports)
    cdef sockaddr_in *to = <sockaddr_in *> calloc(receivers, sizeof(sockaddr_in))
    cdef void **srtp = <void **> calloc(receivers, sizeof(void *))
    cdef uint8_t packet[VIDEO_SIZE]
    cdef uint8_t frame[PACKETS_A_FRAME * (VIDEO_SIZE + 64)]
    cdef uint16_t video_sequence = 1, audio_sequence = 1
    cdef int64_t end, due
    cdef uint64_t sent = 0
    cdef int receiver, index, length, used
    cdef Pace pace = Pace()
    cdef int64_t now
    if to == NULL or srtp == NULL:
        raise MemoryError
    for receiver in range(receivers):
        write_address(&to[receiver], address, ports[receiver])
        srtp[receiver] = <void *> <uintptr_t> sessions[receiver]
    memset(packet, 0x55, sizeof(packet))
    now = clock_ns(CLOCK_MONOTONIC)
    pace.begin(now, now + 5000000)
    end = now + <int64_t> (seconds * 1e9)
    with nogil:
        while True:
            due = min(pace.next_frame(), pace.next_audio())
            if due >= end:
                break
            sleep_until(due)
            if due == pace.next_frame():
                for receiver in range(receivers):
                    used = 0
                    for index in range(PACKETS_A_FRAME):
                        write_rtp(packet, 96, index == PACKETS_A_FRAME - 1, video_sequence + index,
                                  <uint32_t> (pace.frames * 3000), 0x1000)
                        length = VIDEO_SIZE
                        memcpy(frame + used, packet, VIDEO_SIZE)
                        PROTECT(srtp[receiver], frame + used, &length)
                        if segmented:
                            used += length
                        elif sendto(fd, frame, length, 0, &to[receiver], sizeof(sockaddr_in)) == length:
                            sent += 1
                    if segmented and send_segments(fd, frame, used, VIDEO_SIZE + TRAILER, &to[receiver]) == used:
                        sent += PACKETS_A_FRAME
                video_sequence += PACKETS_A_FRAME
                pace.frames += 1
            else:
                for receiver in range(receivers):
                    write_rtp(packet, 111, 0, audio_sequence, <uint32_t> (pace.audio * 960), 0x2000)
                    length = AUDIO_SIZE
                    memcpy(frame, packet, AUDIO_SIZE)
                    PROTECT(srtp[receiver], frame, &length)
                    if sendto(fd, frame, length, 0, &to[receiver], sizeof(sockaddr_in)) == length:
                        sent += 1
                audio_sequence += 1
                pace.audio += 1
    free(to)
    free(srtp)
    return sent
