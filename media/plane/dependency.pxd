"""The dependency descriptor: a header extension that says of each frame what it belongs to and what it refers to.

AV1's RTP payload format, appendix A (https://aomediacodec.github.io/av1-rtp-spec/). A key frame brings a structure of templates,
and each frame names the one it follows and how it differs. Total on any input; what has been read is kept only when all
of a descriptor could be.
"""

from libc.stdint cimport UINT32_MAX, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from media.plane.allocation cimport RUNGS, SPATIAL_MOST, TEMPORAL_MOST
from media.plane.frames cimport FRAME_REFERENCES, NEED_NOT, NEED_REQUIRED, NEED_SWITCH, frame_t
from media.plane.payload cimport LAYER_MOST

cdef enum:
    TEMPLATES_MOST = 64  # identifiers have six bits
    DEPENDENCY_LEAST = 3  # bytes of the mandatory fields
    FLAGS_END = 29  # bits of them and of the five flags behind them
    # The indications of A.8.1, two bits each
    INDICATION_NOT = 0
    INDICATION_SWITCH = 2
    NEXT_TEMPORAL = 1
    NEXT_SPATIAL = 2
    NO_MORE_TEMPLATES = 3

ctypedef struct template_t:
    uint8_t spatial
    uint8_t temporal
    uint8_t reference_count
    uint8_t references[<int>FRAME_REFERENCES]
    uint64_t indications  # of up to 32 decode targets

ctypedef struct structure_t:
    bint known
    bint keyed  # between key pictures no spatial layer needs a lower one
    uint8_t offset
    uint8_t count
    uint8_t targets
    uint8_t chains
    uint8_t rung_targets[<int>RUNGS]  # the decode target that is best within each rung
    uint32_t rung_reach[<int>RUNGS]  # the decode targets, one bit each, for which that one's frames are enough
    uint32_t active  # the decode targets that the publisher sends
    template_t templates[<int>TEMPLATES_MOST]

# One packet's descriptor; what is beyond the mandatory fields is valid only when `whole`.
ctypedef struct dependency_t:
    bint first
    bint last
    uint16_t number
    bint whole
    bint new_structure
    bint masked
    uint32_t active  # only where it is `masked`: one bit a decode target, the lowest is the first one's
    uint16_t mask_at  # bits before that mask, or before where it would be
    frame_t frame  # but its number, and with references of which too many are left out

# A cursor over bits; reading beyond the end gives zeros and is remembered.
ctypedef struct bits_t:
    const uint8_t *data
    int at
    int end
    bint failed


cdef inline uint32_t take_bits(bits_t *bits, int count) noexcept nogil:
    """At most 32."""
    cdef uint32_t value = 0
    if bits.failed or bits.at + count > bits.end:
        bits.failed = True
        return 0
    while count:
        value = (value << 1) | ((bits.data[bits.at >> 3] >> (7 - (bits.at & 7))) & 1)
        bits.at += 1
        count -= 1
    return value


cdef inline uint32_t take_nonsymmetric(bits_t *bits, uint32_t below) noexcept nogil:
    """ns(n) of the AV1 specification, section 4.10.7."""
    cdef int width = 0
    cdef uint32_t rest = below
    cdef uint32_t value, short_ones
    while rest:
        width += 1
        rest >>= 1
    short_ones = (<uint32_t>1 << width) - below
    value = take_bits(bits, width - 1)
    if value < short_ones:
        return value
    return (value << 1) - short_ones + take_bits(bits, 1)


cdef inline int indication(uint64_t indications, int target) noexcept nogil:
    return <int>((indications >> (2 * target)) & 3)


cdef inline uint64_t take_indications(bits_t *bits, int targets) noexcept nogil:
    cdef uint64_t all_ = 0
    cdef int target
    for target in range(targets):
        all_ |= <uint64_t>take_bits(bits, 2) << (2 * target)
    return all_


cdef inline void take_template_layers(bits_t *bits, structure_t *structure) noexcept nogil:
    cdef int spatial = 0
    cdef int temporal = 0
    cdef uint32_t following = 0
    while not bits.failed:
        if structure.count == TEMPLATES_MOST:
            bits.failed = True
            return
        structure.templates[structure.count].spatial = <uint8_t>spatial
        structure.templates[structure.count].temporal = <uint8_t>temporal
        structure.count += 1
        following = take_bits(bits, 2)
        if following == NO_MORE_TEMPLATES:
            return
        if following == NEXT_TEMPORAL:
            temporal += 1
        elif following == NEXT_SPATIAL:
            temporal = 0
            spatial += 1


cdef inline void take_template_references(bits_t *bits, template_t *template) noexcept nogil:
    cdef uint32_t back
    while take_bits(bits, 1):
        back = take_bits(bits, 4) + 1
        if template.reference_count < FRAME_REFERENCES:
            template.references[template.reference_count] = <uint8_t>back
            template.reference_count += 1


cdef inline void skip_template_chains(bits_t *bits, structure_t *structure) noexcept nogil:
    """Which frames a decode target cannot do without: what was left out is known here without them."""
    cdef int i
    structure.chains = <uint8_t>take_nonsymmetric(bits, structure.targets + 1)
    if structure.chains == 0:
        return
    for i in range(structure.targets):
        take_nonsymmetric(bits, structure.chains)
    for i in range(structure.count * structure.chains):
        take_bits(bits, 4)


cdef inline uint32_t all_targets(const structure_t *structure) noexcept nogil:
    return <uint32_t>UINT32_MAX >> (32 - structure.targets)


cdef inline void find_rung_targets(structure_t *structure) noexcept nogil:
    """For each rung the highest decode target within it; where there is none, the lowest of all. And what else can be decoded
    from that one's frames: where layers depend on each other in key pictures only, not the lower ones."""
    cdef int spatial[32]
    cdef int temporal[32]
    cdef uint64_t templates[32]
    cdef int rung, target, i, best, lowest
    lowest = 0
    for target in range(structure.targets):
        spatial[target] = 0
        temporal[target] = 0
        templates[target] = 0
        for i in range(structure.count):
            if indication(structure.templates[i].indications, target) != INDICATION_NOT:
                templates[target] |= <uint64_t>1 << i
                spatial[target] = max(spatial[target], structure.templates[i].spatial)
                temporal[target] = max(temporal[target], structure.templates[i].temporal)
        if spatial[target] * 64 + temporal[target] < spatial[lowest] * 64 + temporal[lowest]:
            lowest = target
    for rung in range(RUNGS):
        best = -1
        for target in range(structure.targets):
            # The highest layers that are told apart stand for all above them.
            if rung // TEMPORAL_MOST < LAYER_MOST and spatial[target] > rung // TEMPORAL_MOST:
                continue
            if rung % TEMPORAL_MOST < LAYER_MOST and temporal[target] > rung % TEMPORAL_MOST:
                continue
            if best < 0 or spatial[target] * 64 + temporal[target] > spatial[best] * 64 + temporal[best]:
                best = target
        best = lowest if best < 0 else best
        structure.rung_targets[rung] = <uint8_t>best
        for target in range(structure.targets):
            if not templates[target] & ~templates[best]:
                structure.rung_reach[rung] |= <uint32_t>1 << target


cdef inline bint is_keyed(const structure_t *structure) noexcept nogil:
    """Whether frames of the lowest spatial layer that refer to others are of no use to any higher one."""
    cdef int i, target, higher
    cdef uint64_t of_higher = 0
    for i in range(structure.count):
        if structure.templates[i].spatial:
            of_higher |= structure.templates[i].indications
    if of_higher == 0:
        return False
    for i in range(structure.count):
        if structure.templates[i].spatial or structure.templates[i].reference_count == 0:
            continue
        for target in range(structure.targets):
            if indication(of_higher, target) and indication(structure.templates[i].indications, target):
                return False
    return True


cdef inline void take_structure(bits_t *bits, structure_t *structure) noexcept nogil:
    cdef int i
    cdef int spatial
    memset(structure, 0, sizeof(structure_t))
    structure.offset = <uint8_t>take_bits(bits, 6)
    structure.targets = <uint8_t>(take_bits(bits, 5) + 1)
    take_template_layers(bits, structure)
    for i in range(structure.count):
        structure.templates[i].indications = take_indications(bits, structure.targets)
    for i in range(structure.count):
        take_template_references(bits, &structure.templates[i])
    skip_template_chains(bits, structure)
    if take_bits(bits, 1) and not bits.failed:  # the layers' sizes, which the pictures tell themselves
        for spatial in range(structure.templates[structure.count - 1].spatial + 1):
            take_bits(bits, 16)
            take_bits(bits, 16)
    if bits.failed:
        return
    structure.known = True
    structure.keyed = is_keyed(structure)
    find_rung_targets(structure)


cdef inline uint32_t rung_needs(const structure_t *structure, uint64_t indications) noexcept nogil:
    cdef uint32_t needs = 0
    cdef int rung, said
    for rung in range(RUNGS):
        said = indication(indications, structure.rung_targets[rung])
        if said == INDICATION_SWITCH:
            needs |= <uint32_t>NEED_SWITCH << (2 * rung)
        elif said != INDICATION_NOT:
            needs |= <uint32_t>NEED_REQUIRED << (2 * rung)
    return needs


cdef inline void take_references(bits_t *bits, frame_t *frame) noexcept nogil:
    cdef uint32_t size = take_bits(bits, 2)
    cdef uint32_t back
    while size and not bits.failed:
        back = take_bits(bits, 4 * size) + 1
        if frame.reference_count < FRAME_REFERENCES:
            frame.references[frame.reference_count] = <uint16_t>back
            frame.reference_count += 1
        size = take_bits(bits, 2)


cdef inline void take_frame(
    bits_t *bits, const structure_t *structure, uint8_t template_id, bint own_indications, bint own_references,
    bint own_chains, frame_t *frame
) noexcept nogil:
    cdef const template_t *template
    cdef uint64_t indications
    cdef int i
    cdef int index = (template_id + 64 - structure.offset) & 63
    if bits.failed or not structure.known or index >= structure.count:
        bits.failed = True
        return
    template = &structure.templates[index]
    frame.spatial = min(template.spatial, <uint8_t>LAYER_MOST)
    frame.temporal = min(template.temporal, <uint8_t>LAYER_MOST)
    indications = take_indications(bits, structure.targets) if own_indications else template.indications
    frame.needs = rung_needs(structure, indications)
    if own_references:
        take_references(bits, frame)
    else:
        frame.reference_count = template.reference_count
        for i in range(template.reference_count):
            frame.references[i] = template.references[i]
    frame.intra = frame.reference_count == 0
    if own_chains:
        for i in range(structure.chains):
            take_bits(bits, 8)


cdef inline bint parse_dependency(
    dependency_t *out, structure_t *structure, const uint8_t *data, int length
) noexcept nogil:
    """Read a descriptor by the newest structure known, which it may replace; false when it is too short to be one.

    `whole` is false when it names a template that is not known, or does not end where it should.
    """
    cdef bits_t bits
    cdef structure_t fresh
    cdef structure_t *current = structure
    cdef bint own_indications, own_references, own_chains
    memset(out, 0, sizeof(dependency_t))
    if length < DEPENDENCY_LEAST:
        return False
    out.first = data[0] >> 7
    out.last = (data[0] >> 6) & 1
    out.number = <uint16_t>((data[1] << 8) | data[2])
    memset(&bits, 0, sizeof(bits_t))
    own_indications = own_references = own_chains = False
    out.mask_at = FLAGS_END
    if length > DEPENDENCY_LEAST:
        bits.data = data
        bits.at = 8 * DEPENDENCY_LEAST
        bits.end = 8 * length
        out.new_structure = take_bits(&bits, 1)
        out.masked = take_bits(&bits, 1)
        own_indications = take_bits(&bits, 1)
        own_references = take_bits(&bits, 1)
        own_chains = take_bits(&bits, 1)
        if out.new_structure:
            take_structure(&bits, &fresh)
            current = &fresh
            out.mask_at = <uint16_t>bits.at
        if out.masked and not bits.failed:
            out.active = take_bits(&bits, current.targets)
    take_frame(
        &bits, current, data[0] & 0x3F, own_indications, own_references, own_chains, &out.frame
    )
    out.whole = not bits.failed
    if out.new_structure and out.whole:
        fresh.active = out.active if out.masked else all_targets(&fresh)
        structure[0] = fresh
    return True
