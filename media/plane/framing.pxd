"""RFC 4571: datagrams in a byte stream, each behind its length in two bytes."""

from libc.stdint cimport uint8_t
from libc.string cimport memcpy

cdef enum:
    FRAME_MOST = 1600  # as long as a datagram may be that is looked at
    FRAME_HEAD = 2
    FRAME_WANTS_MORE = -1
    FRAME_TOO_LONG = -2  # passed over, once for each such frame

# A frame under way. It is gathered in one place, because decryption works in place and on aligned memory.
ctypedef struct frame_reader_t:
    uint8_t bytes[<int>FRAME_MOST]
    uint8_t head[<int>FRAME_HEAD]
    int heads
    int length
    int have  # bytes of the frame that came, kept or passed over


cdef inline int next_frame(frame_reader_t *reader, const uint8_t *data, int length, int *at) noexcept nogil:
    """Go on reading at `data + at`, however the stream is cut: the length of a whole frame, which stays in `bytes` until
    the next call, or FRAME_WANTS_MORE when all is read, or FRAME_TOO_LONG."""
    cdef int part
    while at[0] < length:
        if reader.heads < FRAME_HEAD:
            reader.head[reader.heads] = data[at[0]]
            reader.heads += 1
            at[0] += 1
            if reader.heads < FRAME_HEAD:
                continue
            reader.length = reader.head[0] << 8 | reader.head[1]
            reader.have = 0
        part = reader.length - reader.have
        if part > length - at[0]:
            part = length - at[0]
        if reader.length <= FRAME_MOST:
            memcpy(reader.bytes + reader.have, data + at[0], part)
        reader.have += part
        at[0] += part
        if reader.have == reader.length:
            reader.heads = 0
            return reader.length if reader.length <= FRAME_MOST else FRAME_TOO_LONG
    return FRAME_WANTS_MORE


cdef inline void write_frame_head(uint8_t *head, int length) noexcept nogil:
    head[0] = <uint8_t>(length >> 8)
    head[1] = <uint8_t>length
