# Building the C structs of producers and consumers, and freeing them.


cdef set check_encodings(list encodings):
    """The SSRCs the encodings name, all different; each encoding has an SSRC or, among several, a RID."""
    ssrcs = []
    rids = []
    for encoding in encodings:
        if encoding.rid is not None:
            if not encoding.rid or not short_text(encoding.rid, "rid", 16):
                raise ValueError("a rid has 1 to 16 bytes")
            rids.append(encoding.rid)
        for ssrc in (encoding.ssrc, encoding.rtx_ssrc):
            if ssrc is not None:
                ssrcs.append(read_ssrc(ssrc, "ssrc"))
        if len(encodings) > 1 and encoding.ssrc is None and encoding.rid is None:
            raise ValueError("each of several encodings needs an ssrc or a rid")
    if len(set(ssrcs)) != len(ssrcs) or len(set(rids)) != len(rids):
        raise ValueError("two encodings share an ssrc or a rid")
    return set(ssrcs)


cdef producer_t *build_producer(bint video, str codec, list encodings, bint layered, bint described) except NULL:
    """A producer with its streams and rings; identity and extensions are the caller's to fill in.

    `layered`: its frames are chosen one by one; `described`: by what the dependency descriptor says of them.
    """
    cdef producer_t *producer = <producer_t *>calloc(1, sizeof(producer_t))
    cdef stream_t *stream
    cdef int i
    cdef bint opened
    if producer == NULL:
        raise MemoryError
    producer.streams = <stream_t *>calloc(len(encodings), sizeof(stream_t))
    if producer.streams == NULL:
        free_producer(producer)
        raise MemoryError
    producer.video = video
    producer.codec = VIDEO_CODECS[codec] if video else CODEC_OPAQUE
    producer.level_16 = -127 * 16
    producer.loud = -127
    producer.noise = -127
    for i, encoding in enumerate(encodings):
        stream = &producer.streams[i]
        stream.index = <uint8_t>i
        stream.bad_next = -1
        stream.waits.owner = producer
        stream.waits.part = i
        stream.has_ssrc = encoding.ssrc is not None
        stream.ssrc = encoding.ssrc or 0
        stream.has_rtx_ssrc = encoding.rtx_ssrc is not None
        stream.rtx_ssrc = encoding.rtx_ssrc or 0
        rid = (encoding.rid or "").encode()
        stream.rid_length = len(rid)
        memcpy(stream.rid, PyBytes_AS_STRING(rid), len(rid))
        producer.stream_count = i + 1
        producer.spatial_count = i + 1
        producer.told_wanted = i
        if video:
            opened = ring_open(&stream.ring, VIDEO_SLOTS, VIDEO_SLOTS_MOST, VIDEO_RING, VIDEO_RING_MOST)
        else:
            opened = ring_open(&stream.ring, AUDIO_SLOTS, AUDIO_SLOTS, AUDIO_RING, AUDIO_RING_MOST)
        if not opened:
            free_producer(producer)
            raise MemoryError
        if producer.codec == CODEC_H264:
            stream.sets = <sets_t *>calloc(1, sizeof(sets_t))
            if stream.sets == NULL:
                free_producer(producer)
                raise MemoryError
        if layered:
            stream.frame_log = <frames_t *>calloc(1, sizeof(frames_t))
            if described:
                stream.structure = <structure_t *>calloc(1, sizeof(structure_t))
            if stream.frame_log == NULL or (described and stream.structure == NULL):
                free_producer(producer)
                raise MemoryError
    return producer


cdef void *lines(size_t size) except NULL:
    """Zeroed memory that begins with a cache line; `free` frees it."""
    cdef void *at = aligned_alloc(CACHE_LINE, (size + CACHE_LINE - 1) // CACHE_LINE * CACHE_LINE)
    if at == NULL:
        raise MemoryError
    memset(at, 0, size)
    return at


cdef consumer_t *build_consumer(producer_t *producer, dict extensions, bytes mid) except NULL:
    """A consumer of any layer, with the writer of its header extensions."""
    cdef consumer_t *consumer = <consumer_t *>lines(sizeof(consumer_t))
    consumer.producer = producer
    consumer.stream = -1
    consumer.told_spatial = -1
    consumer.told_temporal = -1
    consumer.preferred_spatial = ANY_LAYER
    consumer.preferred_temporal = ANY_LAYER
    consumer.cap_spatial = ANY_LAYER
    consumer.cap_temporal = ANY_LAYER
    consumer.kept_temporal = ANY_LAYER
    consumer.demand.grant.rung = NO_RUNG
    consumer.demand.fresh = True
    consumer.priority = 1
    spans_open(&consumer.spans, consumer.first_spans, VIDEO_SPANS if producer.video else AUDIO_SPANS)
    if producer.streams[0].frame_log != NULL:
        consumer.selection = <selection_t *>calloc(1, sizeof(selection_t))
        if consumer.selection == NULL:
            free_consumer(consumer)
            raise MemoryError
    for extension, id_ in extensions.items():
        consumer.extensions.ids[<int>extension] = <uint8_t>id_
    prepare_extensions(&consumer.extensions, <const uint8_t *>PyBytes_AS_STRING(mid), <int>len(mid))
    return consumer


cdef void free_producer(producer_t *producer) noexcept:
    cdef int i
    for i in range(producer.stream_count):
        ring_close(&producer.streams[i].ring)
        free(producer.streams[i].sets)
        free(producer.streams[i].frame_log)
        free(producer.streams[i].structure)
    free(producer.streams)
    list_free(&producer.consumers)
    free(producer)


cdef void free_consumer(consumer_t *consumer) noexcept:
    spans_close(&consumer.spans)
    free(consumer.selection)
    free(consumer.resent)
    free(consumer.word)
    free(consumer)


cdef void free_transport(transport_t *transport) noexcept:
    list_free(&transport.producers)
    list_free(&transport.consumers)
    ssrcs_close(&transport.by_ssrc)
    ssrcs_close(&transport.strangers)
    free(transport.arrivals)
    free(transport.routes)
    if transport.sent != NULL:
        sent_close(transport.sent)
    free(transport.sent)
    free(transport.estimator)
    free(transport)
