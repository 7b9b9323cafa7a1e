"""What Python asks of the plane, applied in order between two batches: linking, unlinking and switching of objects.

An object comes fully built with its `add`; its `remove` unlinks it everywhere and hands it back through the queue
`retired`, for Python to free. Python removes children before parents.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from media.plane.address cimport address_t
from media.plane.allocator cimport allocate_now
from media.plane.bits cimport smallest
from media.plane.budget cimport begin_anew, expect_remb, stop_probing, update_budget
from media.plane.clockwork cimport TICK_US
from media.plane.estimator cimport estimator_reset, estimator_t
from media.plane.feedback cimport arrivals_t, sent_t
from media.plane.floor cimport floor_leave
from media.plane.keyframes cimport want_key
from media.plane.layers cimport ask_for_switch, find_wanted, stream_needed, wanted_stream
from media.plane.lifting cimport stop_lifting
from media.plane.lists cimport list_add, list_remove, list_swap
from media.plane.objects cimport consent_t, consumer_t, core_t, list_t, producer_t, transport_t
from media.plane.queue cimport queue_front, queue_pop, queue_push
from media.plane.neighbours cimport join_neighbours, leave_neighbours, same_way
from media.plane.pacing cimport stop_lagging
from media.plane.remotes cimport drop_address, forget_address, learn_address
from media.plane.repairs cimport end_repairs
from media.plane.replay cimport start_consumer
from media.plane.routes cimport route_add, routes_remove
from media.plane.seal cimport seal_t
from media.plane.sending cimport deliver_all
from media.plane.srtp cimport srtp_forget
from media.plane.ssrcs cimport ssrcs_put, ssrcs_remove
from media.plane.extensions cimport EXT_MID, EXT_REPAIRED_RID, EXT_RID, EXT_TRANSPORT_CC
from media.plane.stream cimport stream_restart, stream_t
from media.plane.turns cimport send_all

cdef enum operation_t:
    ADD_TRANSPORT
    REMOVE_TRANSPORT
    ADD_ADDRESS
    FORGET_ADDRESS
    SET_REMOTE
    SET_SEAL
    SET_SRTP
    SET_ADMITTED
    SET_CONSENT
    SET_ARRIVALS
    SET_SENT
    ADD_PRODUCER
    REMOVE_PRODUCER
    PAUSE_PRODUCER
    KEY_PRODUCER
    ADD_CONSUMER
    REMOVE_CONSUMER
    PAUSE_CONSUMER
    KEY_CONSUMER
    SET_LAYERS
    SET_PRIORITY
    REMOVE_FLOOR

ctypedef struct command_t:
    int operation
    int a
    int b
    void *target
    void *first
    void *second
    address_t address
    consent_t consent


cdef inline void start_all(core_t *core, transport_t *transport) noexcept nogil:
    """The transport can be sent to, perhaps for the first time."""
    cdef int i
    if transport.admitted and transport.tx != NULL and transport.has_remote:
        for i in range(transport.consumers.count):
            start_consumer(core, <consumer_t *>transport.consumers.items[i])


cdef inline void set_remote(core_t *core, transport_t *transport, const address_t *address) noexcept nogil:
    """What is sent goes there from now on."""
    cdef bint moved = transport.has_remote and not same_way(&transport.remote, address)
    transport.remote = address[0]
    learn_address(core, transport, address)
    join_neighbours(core, transport)
    if moved:  # at once: until the next tick a wide line's pictures would fill a narrow one
        begin_anew(core, transport)
        allocate_now(core, transport)
    if not transport.has_remote:
        transport.has_remote = True
        start_all(core, transport)


cdef inline void remove_transport(core_t *core, transport_t *transport) noexcept nogil:
    while transport.address_count:
        drop_address(core, transport, transport.address_count - 1)
    stop_probing(core, transport)
    stop_lagging(core, transport)
    stop_lifting(core, transport)
    leave_neighbours(transport)
    list_remove(&core.transports, transport)


cdef inline void add_producer(core_t *core, producer_t *producer) noexcept nogil:
    cdef transport_t *transport = producer.transport
    cdef stream_t *stream
    cdef int i
    list_add(&core.producers, producer)
    list_add(&transport.producers, producer)
    for i in range(1, 256):
        if producer.kinds[i] == EXT_MID:
            transport.mid_id = <uint8_t>i
        elif producer.kinds[i] == EXT_RID:
            transport.rid_id = <uint8_t>i
        elif producer.kinds[i] == EXT_REPAIRED_RID:
            transport.repaired_rid_id = <uint8_t>i
        elif producer.kinds[i] == EXT_TRANSPORT_CC:
            transport.transport_cc_id = <uint8_t>i
    for i in range(producer.stream_count):
        stream = &producer.streams[i]
        if stream.has_ssrc:
            route_add(core, transport, producer, i, False, stream.ssrc)
        if stream.has_rtx_ssrc:
            route_add(core, transport, producer, i, True, stream.rtx_ssrc)


cdef inline void remove_producer(core_t *core, producer_t *producer) noexcept nogil:
    floor_leave(producer)
    end_repairs(core, producer)
    routes_remove(core, producer.transport, producer)
    list_remove(&producer.transport.producers, producer)
    list_remove(&core.producers, producer)


cdef inline void pause_producer(core_t *core, producer_t *producer, bint paused) noexcept nogil:
    """While paused nothing is taken in, so order begins anew, and video with a key frame."""
    cdef int i
    if producer.paused == paused:
        return
    producer.paused = paused
    producer.silent = False
    producer.last_packet_us = core.now
    if paused:
        floor_leave(producer)
    for i in range(producer.stream_count):
        if paused:
            stream_restart(&producer.streams[i])
        elif stream_needed(producer, i):
            want_key(core, producer, &producer.streams[i])


cdef inline void rank(consumer_t *consumer) noexcept nogil:
    """Put a consumer among its transport's by its priority, behind those who have the same."""
    cdef list_t *all_ = &consumer.transport.consumers
    cdef int at
    list_remove(all_, consumer)
    list_add(all_, consumer)
    for at in range(all_.count - 1, 0, -1):
        if (<consumer_t *>all_.items[at - 1]).priority >= consumer.priority:
            break
        all_.items[at] = all_.items[at - 1]
        all_.items[at - 1] = consumer


cdef inline void reconsider(core_t *core, consumer_t *consumer) noexcept nogil:
    """A consumer is there, or is wanted otherwise than before: now and not with the next tick."""
    consumer.demand.fresh = True
    allocate_now(core, consumer.transport)
    if consumer.producer.video:
        find_wanted(core, consumer.producer)  # the publisher may have left it out


cdef inline void add_consumer(core_t *core, consumer_t *consumer) noexcept nogil:
    cdef producer_t *producer = consumer.producer
    list_add(&producer.consumers, consumer)
    if consumer.tap != NULL:
        list_swap(&producer.consumers, producer.tap_count, producer.consumers.count - 1)
        producer.tap_count += 1
    if consumer.transport != NULL:
        rank(consumer)
        ssrcs_put(&consumer.transport.by_ssrc, consumer.ssrc, consumer)
        if consumer.word != NULL:
            expect_remb(consumer.transport)
    reconsider(core, consumer)
    start_consumer(core, consumer)


cdef inline void remove_consumer(core_t *core, consumer_t *consumer) noexcept nogil:
    list_remove(&consumer.producer.consumers, consumer)
    consumer.producer.tap_count -= consumer.tap != NULL
    if consumer.transport != NULL:
        list_remove(&consumer.transport.consumers, consumer)
        ssrcs_remove(&consumer.transport.by_ssrc, consumer.ssrc)
        srtp_forget(&core.srtp, consumer.transport.tx, consumer.ssrc)
        if consumer.rtx_ssrc:
            srtp_forget(&core.srtp, consumer.transport.tx, consumer.rtx_ssrc)


cdef inline void retire(core_t *core, int operation, void *target) noexcept nogil:
    """Hand an unlinked object back. The queue holds as many as there can be commands."""
    cdef uint64_t record[2]
    record[0] = operation
    record[1] = <uint64_t>target
    queue_push(&core.retired, record, sizeof(record), NULL, 0)


cdef inline void apply_to_transport(core_t *core, const command_t *command) noexcept nogil:
    cdef transport_t *transport = <transport_t *>command.target
    if command.operation == ADD_TRANSPORT:
        transport.loss_budget_at = core.now
        list_add(&core.transports, transport)
        core.tick_at = smallest(core.tick_at, core.now + TICK_US)  # it is rare while there is nobody
    elif command.operation == REMOVE_TRANSPORT:
        remove_transport(core, transport)
        retire(core, REMOVE_TRANSPORT, transport)
    elif command.operation == ADD_ADDRESS:
        learn_address(core, transport, &command.address)
    elif command.operation == FORGET_ADDRESS:
        forget_address(core, transport, &command.address)
    elif command.operation == SET_REMOTE:
        set_remote(core, transport, &command.address)
    elif command.operation == SET_SEAL:
        transport.seal = (<seal_t *>command.first)[0]
    elif command.operation == SET_SRTP:
        transport.rx = command.first
        transport.tx = command.second
        start_all(core, transport)
    elif command.operation == SET_ADMITTED:
        if transport.admitted != command.a:
            transport.admitted = command.a
            start_all(core, transport)
    elif command.operation == SET_CONSENT:
        transport.consent = command.consent
    elif command.operation == SET_ARRIVALS:
        transport.arrivals = <arrivals_t *>command.first
    elif command.operation == SET_SENT:
        transport.estimator = <estimator_t *>command.second
        estimator_reset(transport.estimator, core.now)
        transport.sent = <sent_t *>command.first
        transport.estimated = True
        update_budget(transport)


cdef inline void apply_to_producer(core_t *core, const command_t *command) noexcept nogil:
    cdef producer_t *producer = <producer_t *>command.target
    cdef int i
    if command.operation == ADD_PRODUCER:
        add_producer(core, producer)
    elif command.operation == REMOVE_PRODUCER:
        remove_producer(core, producer)
        retire(core, REMOVE_PRODUCER, producer)
    elif command.operation == PAUSE_PRODUCER:
        pause_producer(core, producer, command.a)
    elif command.operation == KEY_PRODUCER:
        for i in range(producer.stream_count):
            if stream_needed(producer, i):
                want_key(core, producer, &producer.streams[i])


cdef inline void apply_to_consumer(core_t *core, const command_t *command) noexcept nogil:
    cdef consumer_t *consumer = <consumer_t *>command.target
    if command.operation == ADD_CONSUMER:
        add_consumer(core, consumer)
    elif command.operation == REMOVE_CONSUMER:
        remove_consumer(core, consumer)
        retire(core, REMOVE_CONSUMER, consumer)
    elif command.operation == PAUSE_CONSUMER:
        if consumer.paused != command.a:
            consumer.paused = command.a
            reconsider(core, consumer)
            start_consumer(core, consumer)
    elif command.operation == KEY_CONSUMER:
        if not consumer.starved:
            want_key(core, consumer.producer, &consumer.producer.streams[wanted_stream(consumer)])
    elif command.operation == SET_LAYERS:
        consumer.preferred_spatial = <uint8_t>command.a
        consumer.preferred_temporal = <uint8_t>command.b
        reconsider(core, consumer)
        if consumer.producer.video:
            ask_for_switch(core, consumer)
    elif command.operation == SET_PRIORITY:
        consumer.priority = <uint8_t>command.a
        rank(consumer)
        reconsider(core, consumer)


cdef inline void core_apply(core_t *core, const command_t *command) noexcept nogil:
    """Apply one command; nothing may be pending."""
    if command.operation <= SET_SENT:
        apply_to_transport(core, command)
    elif command.operation <= KEY_PRODUCER:
        apply_to_producer(core, command)
    elif command.operation == REMOVE_FLOOR:
        retire(core, REMOVE_FLOOR, command.target)
    else:
        apply_to_consumer(core, command)


cdef inline void core_obey(core_t *core) noexcept nogil:
    """Apply all commands that wait. Frames under way go first, so that nothing refers to what a command removes."""
    cdef uint32_t length = 0
    cdef const uint8_t *record = queue_front(&core.commands, &length)
    if record == NULL:
        return
    send_all(core)
    deliver_all(core)
    while record != NULL:
        core_apply(core, <const command_t *>record)
        queue_pop(&core.commands)
        record = queue_front(&core.commands, &length)
        deliver_all(core)
