# The class Depacketizer: RTP packets in, whole frames out. Used by whoever drains a tap, on that one's thread.

from media.plane.assembly cimport append_payload, assembly_clear, assembly_close, assembly_t
from media.plane.bits cimport largest, smallest, unwrap16
from media.plane.rtp cimport parse_rtp, rtp_t

from media.plane.types import RtpFrame

cdef enum:
    # A retransmission needs one round trip and the pace of NACKs: 400 ms carries a path of 300 ms there and back. It also
    # is what a kill can lose beyond the flush, so it is no longer.
    WINDOW_US = 400_000
    # 400 ms of a 10 Mbit/s screen in packets of 1,100 bytes are 450; a burst of more than this is not worth the memory.
    WINDOW_PACKETS = 1024
    # A jump this far is no loss but a publisher who began anew.
    JUMP_PACKETS = 3000


cdef class Depacketizer:
    cdef int codec
    cdef int payload_type
    cdef assembly_t assembly
    # Packets in the order in which they were sent
    cdef bint begun
    cdef int64_t expected  # the sequence number that may go on, unwrapped
    cdef int64_t newest
    cdef dict waiting  # sequence number -> (arrival, packet)
    cdef int64_t missing  # given up, and not yet told
    # The frame that is open
    cdef bint open
    cdef bint spoilt
    cdef uint32_t timestamp
    cdef int64_t arrival_us
    cdef int packets
    cdef int64_t lost
    cdef list frames
    cdef readonly int malformed
    cdef readonly int foreign

    def __cinit__(self, codec, payload_type):
        number(payload_type, "payload_type", 0, 127)
        self.codec = VIDEO_CODECS.get(codec, CODEC_OPAQUE)
        self.payload_type = payload_type
        self.waiting = {}
        self.frames = []

    def __dealloc__(self):
        assembly_close(&self.assembly)

    @property
    def held(self):
        return len(self.waiting)

    def take(self, packets, int64_t now_us):
        cdef int64_t arrival_us
        cdef bytes data
        for arrival_us, data in packets:
            self.push(arrival_us, data)
        while self.waiting and now_us - min(self.waiting.values())[0] > WINDOW_US:
            self.skip()
        return self.give()

    def flush(self):
        while self.waiting:
            self.skip()
        if self.open:
            self.spoilt = True  # whether more of it was to come nobody knows
            self.end_frame()
        return self.give()

    cdef list give(self):
        frames = self.frames
        self.frames = []
        return frames

    # In order

    cdef int push(self, int64_t arrival_us, bytes data) except -1:
        cdef rtp_t rtp
        cdef int64_t sequence
        if not parse_rtp(&rtp, data, <int>len(data)):
            self.malformed += 1
            return 0
        if rtp.payload_type != self.payload_type:
            self.foreign += 1
            return 0
        if not self.begun:
            self.begun = True
            self.expected = self.newest = rtp.sequence
        sequence = unwrap16(self.newest, rtp.sequence)
        if sequence == self.expected and not self.waiting:  # nearly always: nothing is missing
            self.newest = largest(self.newest, sequence)
            self.expected = sequence + 1
            return self.place(arrival_us, data, &rtp)
        if not -JUMP_PACKETS <= sequence - self.expected <= JUMP_PACKETS:
            return self.begin_anew(arrival_us, data, &rtp)
        self.newest = largest(self.newest, sequence)
        if sequence < self.expected or sequence in self.waiting:  # too late, or a duplicate
            return 0
        self.waiting[sequence] = (arrival_us, data)
        self.release()
        while len(self.waiting) > WINDOW_PACKETS:
            self.skip()
        return 0

    cdef int begin_anew(self, int64_t arrival_us, bytes data, const rtp_t *rtp) except -1:
        while self.waiting:
            self.skip()
        self.newest = rtp.sequence
        self.expected = self.newest + 1
        self.missing += 1  # how many nobody knows; the frame that was open is not whole
        return self.place(arrival_us, data, rtp)

    cdef int skip(self) except -1:
        """Give up what is missing before the first that waits."""
        cdef int64_t first = min(self.waiting)
        self.missing += first - self.expected
        self.expected = first
        return self.release()

    cdef int release(self) except -1:
        cdef rtp_t rtp
        cdef bytes data
        while self.expected in self.waiting:
            arrival_us, data = self.waiting.pop(self.expected)
            self.expected += 1
            parse_rtp(&rtp, data, <int>len(data))  # as it was when it came
            self.place(arrival_us, data, &rtp)
        return 0

    # Into frames

    cdef int place(self, int64_t arrival_us, bytes data, const rtp_t *rtp) except -1:
        cdef int64_t missing = self.missing
        cdef const uint8_t *payload = <const uint8_t *>data + rtp.payload_at
        self.missing = 0
        if self.open:
            if missing:  # its end, or a piece in the middle
                self.spoilt = True
            if rtp.timestamp != self.timestamp:  # the marker is a convenience; a new timestamp says the same
                self.end_frame()
        if not self.open:
            self.open = True
            self.timestamp = rtp.timestamp
            self.arrival_us = arrival_us
        self.arrival_us = smallest(self.arrival_us, arrival_us)
        self.packets += 1
        self.lost += missing
        if rtp.payload_length and not self.spoilt:  # an empty one is padding that probes the path
            if not append_payload(&self.assembly, self.codec, payload, rtp.payload_length):
                self.malformed += 1
                self.spoilt = True
        if rtp.marker or self.codec == CODEC_OPAQUE:
            self.end_frame()
        return 0

    cdef int end_frame(self) except -1:
        cdef assembly_t *assembly = &self.assembly
        cdef uint32_t begin = 0
        cdef int i
        units = size = None
        if not self.spoilt and assembly.unfinished:
            self.malformed += 1
        elif not self.spoilt:
            units = []
            for i in range(assembly.count):
                units.append(PyBytes_FromStringAndSize(
                    <const char *>assembly.bytes + begin, assembly.ends[i] - begin
                ))
                begin = assembly.ends[i]
            if assembly.largest.width:
                size = (assembly.largest.width, assembly.largest.height)
        self.frames.append(RtpFrame(self.timestamp, self.arrival_us, self.packets, self.lost, units, size))
        assembly_clear(assembly)
        self.open = self.spoilt = False
        self.packets = 0
        self.lost = 0
        return 0
