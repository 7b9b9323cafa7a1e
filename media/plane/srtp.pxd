"""libsrtp, by the function pointers of the copy inside pylibsrtp. Packets are (un)protected in place."""

from libc.stdint cimport uint8_t, uint32_t

from media.plane.drops cimport DROP_AUTHENTICATION, DROP_REPLAYED, DROP_UNPROTECT

cdef extern from "arpa/inet.h" nogil:
    uint32_t htonl(uint32_t number)

ctypedef int (*srtp_function_t)(void *session, void *packet, int *length) noexcept nogil

ctypedef int (*srtp_remove_t)(void *session, uint32_t network_ssrc) noexcept nogil

cdef enum:
    SRTP_OK = 0
    SRTP_AUTHENTICATION = 7
    SRTP_REPLAY = 9
    SRTP_REPLAY_OLD = 10
    SRTP_TRAILER_MOST = 148  # SRTP_MAX_TRAILER_LEN + 4 for SRTCP's index

ctypedef struct srtp_t:
    srtp_function_t protect
    srtp_function_t unprotect
    srtp_function_t protect_rtcp
    srtp_function_t unprotect_rtcp
    srtp_remove_t remove_stream


cdef inline void srtp_forget(const srtp_t *srtp, void *session, uint32_t ssrc) noexcept nogil:
    """Let go what a session keeps of an SSRC, of which it searches a list for each packet. Nothing that is sent may have it again."""
    if session != NULL:
        srtp.remove_stream(session, htonl(ssrc))


cdef inline int unprotect_drop(int status) noexcept nogil:
    """The drop reason for a libsrtp status."""
    if status == SRTP_AUTHENTICATION:
        return DROP_AUTHENTICATION
    if status == SRTP_REPLAY or status == SRTP_REPLAY_OLD:
        return DROP_REPLAYED
    return DROP_UNPROTECT
