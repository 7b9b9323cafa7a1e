"""Why packets are dropped. Every reason has a name that operators see; the two lists below go together."""

from libc.stdint cimport uint64_t

cdef enum drop_t:
    DROP_UNKNOWN_ADDRESS
    DROP_UNKNOWN_PROTOCOL
    DROP_CONTROL_QUEUE_FULL
    DROP_EVENT_QUEUE_FULL
    DROP_TOO_LONG
    DROP_NOT_ADMITTED
    DROP_NO_KEYS
    DROP_NO_ADDRESS
    DROP_AUTHENTICATION
    DROP_REPLAYED
    DROP_UNPROTECT
    DROP_PROTECT
    DROP_TOO_FAST
    DROP_RTCP_FLOOD
    DROP_RTCP_ITEMS
    DROP_MALFORMED_RTP
    DROP_MALFORMED_RTCP
    DROP_MALFORMED_PAYLOAD
    DROP_UNKNOWN_STREAM
    DROP_TOO_MANY_SSRCS
    DROP_SSRC_CHANGES
    DROP_PAYLOAD_TYPE
    DROP_PRODUCER_PAUSED
    DROP_DUPLICATE
    DROP_BAD_SEQUENCE
    DROP_PADDING_ONLY
    DROP_WAITING_FOR_KEY_FRAME
    DROP_TEMPORAL_LAYER
    DROP_SPATIAL_LAYER
    DROP_TOO_LATE
    DROP_LEFT_RING
    DROP_LET_GO
    DROP_STARVED
    DROP_RESTARTED
    DROP_NACK_UNKNOWN_SSRC
    DROP_NACK_NOT_IN_RING
    DROP_NACK_THROTTLED
    DROP_NACK_NOT_NEGOTIATED
    DROP_TAP_FULL
    DROP_NOT_LOUDEST
    DROP_SEND_WOULD_BLOCK
    DROP_SEND_NO_BUFFERS
    DROP_SEND_REFUSED
    DROP_TCP_FULL
    DROP_TCP_CLOSED
    DROP_EXCHANGE_FULL
    DROP_COUNT

cdef extern from *:
    """
    static const char *const HUITANG_DROP_NAMES[] = {
        "unknown_address", "unknown_protocol", "control_queue_full", "event_queue_full", "too_long",
        "not_admitted", "no_keys", "no_address", "authentication", "replayed", "unprotect", "protect",
        "too_fast", "rtcp_flood", "rtcp_items",
        "malformed_rtp", "malformed_rtcp", "malformed_payload", "unknown_stream", "too_many_ssrcs",
        "ssrc_changes",
        "payload_type", "producer_paused", "duplicate", "bad_sequence", "padding_only",
        "waiting_for_key_frame", "temporal_layer", "spatial_layer", "too_late", "left_ring",
        "let_go", "starved", "restarted", "nack_unknown_ssrc", "nack_not_in_ring",
        "nack_throttled", "nack_not_negotiated", "tap_full", "not_loudest", "send_would_block",
        "send_no_buffers", "send_refused", "tcp_full", "tcp_closed",
        "exchange_full",
    };
    #define HUITANG_DROP_NAMED (sizeof HUITANG_DROP_NAMES / sizeof HUITANG_DROP_NAMES[0])
    """
    const char *HUITANG_DROP_NAMES[]
    const int HUITANG_DROP_NAMED

ctypedef uint64_t drops_t[<int>DROP_COUNT]
