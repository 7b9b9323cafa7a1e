"""The objects of the plane and how they hang together.

All are made and freed on the Python thread; between their `add` and their `remove` command they belong to the plane
thread. Python reads their counters meanwhile, without a lock: each is one aligned word.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from media.plane.allocation cimport RUNGS, SPATIAL_MOST, demand_t, ladder_t, patience_t
from media.plane.address cimport address_t, table_t
from media.plane.batch cimport batch_t
from media.plane.drops cimport drops_t
from media.plane.extensions cimport extension_writer_t, kinds_by_id_t
from media.plane.estimator cimport estimator_t
from media.plane.feedback cimport arrivals_t, results_t, sent_t
from media.plane.lift cimport lift_t
from media.plane.meter cimport meter_t
from media.plane.queue cimport queue_t
from media.plane.seal cimport evp_t, seal_t
from media.plane.selection cimport selection_t
from media.plane.rates cimport rate_t
from media.plane.rtcp cimport CNAME_MOST
from media.plane.spans cimport SPANS_FIRST, span_t, spans_t
from media.plane.srtp cimport srtp_t
from media.plane.ssrcs cimport ssrcs_t
from media.plane.standing cimport standing_t
from media.plane.stream cimport stream_t
from media.plane.timers cimport timers_t
from media.plane.word cimport word_t

cdef extern from "<stdbool.h>":
    ctypedef bint flag_t "bool"  # one byte

cdef enum:
    ADDRESSES_MOST = 8
    UFRAG_MOST = 16
    PASSWORD_MOST = 32
    ROUTES_MOST = 64
    ENCODINGS_MOST = 4
    SOCKETS_MOST = 8
    TCP_SOCKET = SOCKETS_MOST  # the `socket` of every address that is a TCP connection
    BATCHES_MOST = SOCKETS_MOST + 1
    PLANES_MOST = 64  # as many as an ICE user name has first characters
    RESENT = 128
    DUE_MOST = 256
    SR_MEMORY = 4
    PLACES_MOST = 64
    PROBING_MOST = 16  # transports that send probes at the same time
    ANY_LAYER = 255
    CACHE_LINE = 64
    CONSUMER_LINES = 6
    TRANSPORT_LINES = 3

# A growing array of pointers (grows only when objects are added).
ctypedef struct list_t:
    void **items
    int count
    int room

ctypedef struct transport_t
ctypedef struct producer_t
ctypedef struct consumer_t
ctypedef struct floor_t
ctypedef struct core_t

ctypedef struct route_t:
    uint32_t ssrc
    producer_t *producer
    uint8_t encoding
    bint rtx

# By which a peer's checks are known (RFC 8445 section 5.3). No user name: none are answered here.
ctypedef struct consent_t:
    uint8_t ufrag[<int>UFRAG_MOST]
    uint8_t password[<int>PASSWORD_MOST]
    uint8_t ufrag_length
    uint8_t password_length

# OpenSSL's HMAC function.
ctypedef uint8_t *(*hmac_t)(
    const void *digest, const void *key, int key_length, const uint8_t *data, size_t length, uint8_t *out,
    unsigned int *written
) noexcept nogil

ctypedef struct transport_t:
    # What each forwarded frame touches comes first, in TRANSPORT_LINES cache lines.
    bint admitted
    bint has_remote
    address_t remote
    void *tx  # srtp sessions; NULL before DTLS is done
    seal_t seal  # RTP goes through it and not through `tx`; without a cipher where the profile is not AEAD
    sent_t *sent  # NULL unless a consumer writes transport-cc
    uint64_t packets_sent
    uint64_t bytes_sent
    int64_t report_at
    int64_t budget_bps  # for all consumers together, audio included; 0: unknown, so no limit
    estimator_t *estimator  # beside `sent`
    # What may leave at once, see pacing.
    int64_t pace_bytes
    int64_t pace_us  # when it was reckoned
    uint64_t pace_sent
    bint lags  # a consumer is behind
    transport_t *lagging  # the next that does
    int64_t handle
    transport_t *neighbour  # the next at the same address, in a ring; NULL: nobody is
    int64_t settle_at  # when it will be known who else finds the line full; 0 it is not
    void *rx
    address_t addresses[<int>ADDRESSES_MOST]
    int address_count
    route_t *routes  # a client that only receives has none
    int route_count
    int route_room
    ssrcs_t strangers  # authenticated SSRCs that belong to nothing: not yet, no longer, or of who sends RTCP alone
    list_t producers
    list_t consumers  # by falling priority, then in order of adding
    ssrcs_t by_ssrc  # of the same, the media's
    uint8_t mid_id
    uint8_t rid_id
    uint8_t repaired_rid_id
    uint8_t transport_cc_id
    uint32_t ssrc  # ours, in feedback to a publisher
    arrivals_t *arrivals  # NULL unless the client publishes with transport-cc
    int64_t feedback_at
    int64_t last_received_us
    int64_t authentic_us  # the last SRTP or SRTCP packet whose signature was right, and that was no replay
    uint64_t packets_received
    uint64_t bytes_received
    uint64_t feedbacks
    int64_t desired_bps  # what its consumers would take if they could, audio included: more is of no use to them
    int64_t sound_bps  # what sound takes of it
    int64_t main_bps  # what the lowest layer of the first picture takes; 0: it has none
    int64_t next_bps  # what they would take with one layer more than now; 0: they have all
    bint hungry  # of the pictures it watches it has none
    int64_t allocated_for_bps  # the budget, as it was last divided
    int64_t allocate_at
    bint limited
    patience_t patience
    int64_t audio_bps
    int64_t audio_at_us
    uint64_t audio_bytes
    bint estimated  # it covers all pictures that are sent
    int64_t loss_budget_bps  # where there is neither an estimator nor REMB, nor one is waited for
    int64_t loss_budget_at
    uint64_t loss_budget_bytes
    uint64_t probe_bytes
    uint32_t remb_bps
    int64_t remb_at  # 0: none has come
    bint remb_hears  # the sound is in it
    int64_t remb_full_us  # when he last saw the line full; 0 never
    bint promised_remb  # and no transport-cc
    int64_t words_us  # since when what is sent of each picture is being measured
    lift_t lift
    standing_t waiting  # how long packets wait on the way, by the round trips; where a word was promised
    int64_t waited_us  # when that was measured last
    uint32_t lifted_ssrc  # of the picture that padding goes with
    bint lifts
    transport_t *lifted  # the next that does
    uint32_t rtt_us
    uint32_t loss_down  # 1/65536
    int64_t loss_told_us
    uint32_t loss_up
    rate_t media_rate
    rate_t rtcp_rate
    rate_t items_rate
    rate_t strangers_rate
    int64_t resend_refill_us
    int resend_tokens
    consent_t consent
    int64_t consented_us  # the last check that was answered here

# A room's microphones compete for its places: see floor.
ctypedef struct floor_t:
    int places
    int count
    int64_t hold_us
    producer_t *holders[<int>PLACES_MOST]

ctypedef struct producer_t:
    int64_t handle
    transport_t *transport
    bint video
    int codec
    uint32_t clock_rate
    uint8_t payload_type
    uint8_t rtx_payload_type
    uint8_t red_payload_type
    bint has_rtx
    bint has_red
    bint nack
    bint fir
    bint paused
    bint silent
    bint heard
    stream_t *streams
    int stream_count
    int spatial_count  # of simulcast streams, or of the one stream's spatial layers
    bint keyed  # between key pictures a spatial layer does without the lower ones
    uint8_t alone  # of VP9: how many frames in turn did so, and none since that did not
    int top_spatial  # the highest layer of a layered stream that is being sent
    int64_t layer_heard_us[<int>SPATIAL_MOST]
    kinds_by_id_t kinds
    uint8_t mid[16]
    int mid_length
    uint8_t cname[<int>CNAME_MOST]
    int cname_length
    list_t consumers  # taps first
    int tap_count
    meter_t meters[<int>RUNGS]
    ladder_t ladder
    int wanted  # the highest spatial layer that anybody would have; -1 none
    int told_wanted
    int64_t wanted_less_us  # since when the publisher sends more than anybody wants; 0 it does not
    uint32_t rtt_us
    int32_t level_16  # smoothed dBov in 1/16, below zero
    int64_t level_at
    double loud  # the same in dBov, rising at once and falling slowly
    double noise  # of the microphone's room, in dBov
    int64_t spoke_at  # the last packet that stood out of it as speech does
    int64_t speaks_since  # when the run of them began, or the wait for a place
    floor_t *floor  # NULL: forwarded always
    int64_t placed_at
    bint on_floor
    uint32_t spurt  # how often the floor was taken
    int64_t last_packet_us
    uint64_t nacks  # RTCP messages; one asks for many packets
    uint64_t nacked  # packets
    uint64_t key_requests
    uint64_t key_frames

ctypedef struct sr_memory_t:
    uint32_t middle
    int64_t sent_us

# What was sent again last, by low bits.
ctypedef struct resent_t:
    uint32_t out
    uint32_t sent_us

# A producer's way to one subscriber; or, with `tap` set and no transport, into Python.
ctypedef struct consumer_t:
    # What each forwarded frame touches comes first, in CONSUMER_LINES cache lines.
    transport_t *transport
    producer_t *producer
    queue_t *tap
    flag_t paused
    flag_t starved  # bandwidth allows not even the least
    flag_t waits_key
    flag_t wants_marker  # audio: mark the first packet after a pause
    flag_t behind  # not all that the ring has is sent yet, see pacing: `behind_at` is where it goes on
    flag_t nack
    flag_t has_rtx
    flag_t has_red
    flag_t wishes_key  # it asked for a key frame while one was on its way, see wishes
    flag_t lossy  # packets were lost that nobody sent too fast
    uint8_t copies  # of earlier frames that go with each, as the line needs or may need them (RED)
    uint8_t payload_type
    uint8_t rtx_payload_type
    uint8_t red_payload_type
    uint8_t priority
    int replay_frames  # of the past that may still be given times of their own, see timing
    uint32_t spurt  # of the producer, as of the last packet
    uint32_t ssrc
    uint32_t rtx_ssrc
    int64_t rtx_next  # the sequence number with its roll-overs: SRTP's packet index
    extension_writer_t extensions
    spans_t spans
    selection_t *selection  # NULL unless the producer's frames are chosen by layer one by one
    int64_t dropped_picture
    int64_t kept_picture
    uint8_t preferred_spatial
    uint8_t preferred_temporal
    # What bandwidth allows; ANY_LAYER while that is no matter.
    uint8_t cap_spatial
    uint8_t cap_temporal
    uint8_t kept_temporal  # of a stream above `cap_spatial`, until the lower one's key frame is there
    int stream  # forwarded now; -1 none
    int temporal
    int told_spatial
    int told_temporal
    int64_t last_sent_us
    uint64_t packets
    uint64_t octets  # payload only, RFC 3550 section 6.4.1
    uint64_t bytes
    span_t first_spans[<int>SPANS_FIRST]
    int64_t handle
    uint64_t retransmitted
    uint64_t nacks  # RTCP messages
    uint64_t nacked  # packets
    uint64_t key_requests
    uint64_t firs  # of them
    sr_memory_t reports[<int>SR_MEMORY]
    uint32_t report_count
    int64_t report_at  # not before
    uint8_t fraction
    uint32_t lost
    uint32_t jitter
    uint32_t reported_highest
    int64_t clean_since_us
    int64_t reported_us
    uint32_t rtt_us
    demand_t demand
    word_t *word  # NULL unless the client estimates for itself, and sends REMB
    resent_t *resent  # RESENT of them; NULL until something was
    uint8_t behind_stream
    uint32_t behind_epoch
    uint32_t behind_turn  # the stream's, whose packets it had when it came to it, and left
    int64_t behind_at
    int64_t behind_since_us
    int64_t key_wished_us
    int64_t key_wish_at
    int64_t begun_us  # when its picture began, with a key frame; what had come before is the past
    int64_t replay_timestamp  # the frame being replayed; -1 before the first
    uint32_t replay_next  # the outgoing time of the next one
    uint32_t replay_shift  # and of what is not past any more
    uint64_t tap_overflow
    int tap_capacity

ctypedef struct due_t:
    producer_t *producer
    uint8_t stream

# What the planes of one port have in common; it outlives them.
ctypedef struct exchange_t:
    int count
    queue_t *queues  # from each plane (slowly) to each (fast)
    int wake_fds[<int>PLANES_MOST]  # -1: nobody to wake

ctypedef struct core_t:
    int64_t now
    srtp_t srtp
    evp_t evp
    hmac_t hmac
    const void *sha1
    table_t addresses
    exchange_t *exchange  # NULL where there is one plane alone
    int place  # among the planes of the exchange
    table_t *elsewhere  # addresses of the other planes, each with the plane's place plus one for owner
    uint64_t takers  # bits of the planes to wake
    uint64_t passed_on
    list_t transports
    list_t producers
    list_t demands  # scratch
    queue_t control
    queue_t strangers
    queue_t events
    queue_t commands
    queue_t retired
    bint told  # something was put into control, strangers or events
    due_t due[<int>DUE_MOST]  # streams with pending packets
    int due_count
    int64_t tick_at
    int64_t slow_tick_at
    int64_t measure_at
    transport_t *probing[<int>PROBING_MOST]
    int probing_count
    int64_t probe_at  # when the next packets of a probe are due; 0 none
    results_t results  # of the report being read
    int64_t pace_at  # when those who are behind go on; 0 nobody is
    transport_t *lagging  # the first of them
    int64_t lift_at  # when padding is due that is no probe; 0 none
    transport_t *lifted  # the first who is sent it
    timers_t waiting  # the streams that miss packets or a key frame
    int64_t repair_at  # they are looked at again, not before
    void (*deliver)(core_t *core, int socket) noexcept nogil
    void *outlet  # what `deliver` needs
    batch_t *batches[<int>BATCHES_MOST]
    void *connections  # connections_t, NULL without TCP
    queue_t letters  # Python's STUN and DTLS for TCP connections
    drops_t drops
    uint64_t random
    uint64_t packets_received
    uint64_t bytes_received
    uint64_t packets_sent
    uint64_t bytes_sent
    uint64_t send_calls
    uint64_t consents
    uint64_t gso_messages
    # What the thread had to do besides packets.
    uint64_t ticks
    uint64_t repairs  # looks at streams that wait
    uint64_t rtcp_items
    # What became of losses, of all that ever lived here: objects take their own counters with them.
    uint64_t nacks_sent
    uint64_t nacks_received
    uint64_t key_requests_sent
    uint64_t key_requests_received
    uint64_t key_frames
    uint64_t retransmitted
    uint64_t recovered
