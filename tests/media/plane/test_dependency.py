"""The dependency descriptor: by tables written from the specification, and on any bytes at all."""

from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.media.plane import probe
from tests.media.plane.descriptors import L1T3, Descriptor, Structure, Template, spatial_structure

# Written down by hand: start and end, template 0, frame 0x0102; a structure; offset 0, one target, one template "S"
# without references or chains; no sizes.
#   11 000000 | 0000 0001 0000 0010 | 10000 | 000000 00000 11 10 0 0 0 | padding
BY_HAND = bytes([0b11000000, 0x01, 0x02, 0b10000000, 0b00000000, 0b11100000])


def known(structure: Structure, number: int = 100) -> probe.Dependencies:
    """A stream whose key frame has come."""
    stream = probe.Dependencies()
    assert stream.read(Descriptor(structure.offset, number, structure=structure).octets())["structure"]
    return stream


def test_a_descriptor_written_by_hand() -> None:
    stream = probe.Dependencies()
    assert stream.read(BY_HAND) == {
        "first": True,
        "last": True,
        "number": 0x102,
        "structure": True,
        "active": "",
        "spatial": 0,
        "temporal": 0,
        "references": [],
        "needs": "S" * 16,
    }
    assert stream.templates == [(0, 0, "S", ())]


@pytest.mark.parametrize("structure", [L1T3, spatial_structure(keyed=True), spatial_structure(keyed=False)])
def test_structures_are_read_as_written(structure: Structure) -> None:
    assert known(structure).templates == [
        (t.spatial, t.temporal, t.indications, t.references) for t in structure.templates
    ]


@pytest.mark.parametrize(
    ("structure", "keyed"),
    [(L1T3, False), (spatial_structure(keyed=True), True), (spatial_structure(keyed=False), False)],
)
def test_it_is_seen_whether_layers_stand_by_themselves(structure: Structure, keyed: bool) -> None:
    assert known(structure).keyed is keyed


@pytest.mark.parametrize(
    ("descriptor", "spatial", "temporal", "references", "needs"),
    [
        (Descriptor(12, 101), 0, 0, [4], "SSSS" * 4),
        (Descriptor(13, 101), 0, 1, [2], "-RSS" * 4),
        (Descriptor(14, 101), 0, 2, [1], "--RR" * 4),
        (Descriptor(14, 101, indications="--S"), 0, 2, [1], "--SS" * 4),
        (Descriptor(14, 101, references=(1, 16, 17, 256, 4096)), 0, 2, [1, 16, 17, 256, 4096], "--RR" * 4),
        (Descriptor(14, 101, references=()), 0, 2, [], "--RR" * 4),
        (Descriptor(14, 101, chains=(7,)), 0, 2, [1], "--RR" * 4),
        (
            Descriptor(14, 101, active="011", indications="--S", references=(3,), chains=(9,)),
            0,
            2,
            [3],
            "--SS" * 4,
        ),
        (Descriptor(14, 101, references=tuple(range(1, 12))), 0, 2, list(range(1, 9)), "--RR" * 4),
    ],
)
def test_frames_follow_their_template_or_say_how_they_differ(
    descriptor: Descriptor, spatial: int, temporal: int, references: list[int], needs: str
) -> None:
    told = known(L1T3).read(descriptor.octets())
    assert (told["spatial"], told["temporal"]) == (spatial, temporal)
    assert (told["references"], told["needs"]) == (references, needs)


def test_rungs_without_a_decode_target_of_their_own_have_the_best_below() -> None:
    stream = known(spatial_structure(keyed=False))
    upper = stream.read(Descriptor(0, 103).octets())  # template 4 of offset 60, wrapped
    assert (upper["spatial"], upper["temporal"]) == (1, 0)
    assert upper["needs"] == "----" + "SSSS" * 3
    only_upper = Structure([Template(0, 0, "SS"), Template(1, 0, "SS", (1,)), Template(1, 1, "-D", (1,))])
    told = known(only_upper).read(Descriptor(1, 101).octets())
    assert told["needs"] == "SSSS" * 4, "whoever wants less than there is gets the least there is"


@pytest.mark.parametrize("cut", range(len(Descriptor(11, 1, structure=L1T3).octets()) - 1))
def test_a_structure_cut_off_is_not_kept(cut: int) -> None:
    stream = known(spatial_structure(keyed=True))
    before = stream.templates
    told = stream.read(Descriptor(11, 200, structure=L1T3).octets()[:cut])
    assert told is None or "needs" not in told
    assert stream.templates == before


@pytest.mark.parametrize("template", [10, 16, 63])
def test_an_unknown_template_tells_the_number_alone(template: int) -> None:
    assert known(L1T3).read(Descriptor(template, 7, first=False).octets()) == {
        "first": False,
        "last": True,
        "number": 7,
    }
    assert probe.Dependencies().read(Descriptor(0, 7).octets()) == {"first": True, "last": True, "number": 7}


def test_most_templates_and_targets_are_read_and_one_more_is_refused() -> None:
    many = [Template(0, 0, "S" * 32, (1,) * 12, (1,) * 32) for _ in range(64)]
    structure = Structure(many, protected_by=tuple(range(32)))
    assert len(known(structure).templates) == 64
    over = Structure([*many, many[0]], protected_by=tuple(range(32)))
    assert probe.Dependencies().read(Descriptor(0, 1, structure=over).octets()).keys() == {
        "first",
        "last",
        "number",
    }


@pytest.mark.parametrize(
    ("structure", "reach"),
    [
        (L1T3, {0: "001", 1: "011", 2: "111", 15: "111"}),
        (spatial_structure(keyed=False), {0: "0001", 1: "0011", 4: "0101", 5: "1111", 15: "1111"}),
        (spatial_structure(keyed=True), {0: "0001", 1: "0011", 4: "0100", 5: "1100", 15: "1100"}),
    ],
)
def test_a_rung_makes_decodable_what_needs_no_more_than_its_frames(
    structure: Structure, reach: dict[int, str]
) -> None:
    stream = known(structure)
    assert {rung: stream.reach[rung] for rung in reach} == reach
    assert stream.active == "1" * structure.targets


CUSTOM = Descriptor(14, 101, indications="--S", references=(3, 300), chains=(9,))


@pytest.mark.parametrize(
    "descriptor",
    [
        Descriptor(12, 101),
        Descriptor(14, 101, first=False),
        CUSTOM,
        replace(CUSTOM, active="110"),
        replace(CUSTOM, active="111", last=False),
        Descriptor(11, 101, structure=L1T3),
        Descriptor(11, 101, structure=L1T3, active="011", chains=(2,)),
        Descriptor(60, 101, structure=spatial_structure(keyed=True), references=(1, 2)),
    ],
)
@pytest.mark.parametrize("active", [1, 0b101, 0b111])
def test_the_mask_is_put_in_and_nothing_else_changes(descriptor: Descriptor, active: int) -> None:
    targets = descriptor.structure.targets if descriptor.structure else 3
    wanted = replace(descriptor, number=7, active=f"{active:0{targets}b}")
    written = known(L1T3).rewrite(descriptor.octets(), 7, active)
    assert written is not None
    assert written.rstrip(b"\0") == wanted.octets().rstrip(b"\0"), "but for the padding"
    assert len(written) <= len(wanted.octets()) + 1
    assert known(L1T3).read(written) == known(L1T3).read(wanted.octets())
    assert known(L1T3).rewrite(descriptor.octets(), 7, 0) == replace(descriptor, number=7).octets()


def test_a_descriptor_that_cannot_be_read_keeps_its_mask() -> None:
    unknown = Descriptor(40, 101, active="011").octets()
    assert known(L1T3).rewrite(unknown, 101, 1) == unknown


def test_a_descriptor_without_room_for_a_mask_is_left_without() -> None:
    whole = Descriptor(12, 101, references=(1,)).octets()
    assert known(L1T3).rewrite(whole.ljust(254, b"\0"), 101, 1) == Descriptor(
        12, 101, active="001", references=(1,)
    ).octets().ljust(255, b"\0")
    longest = whole.ljust(255, b"\0")
    assert known(L1T3).rewrite(longest, 101, 1) == longest


@settings(max_examples=500, deadline=None)
@given(st.binary(min_size=3, max_size=255), st.integers(0, 2**32 - 1))
@example(Descriptor(11, 1, structure=L1T3).octets(), 3)
def test_any_bytes_with_a_mask_are_read_as_before(data: bytes, active: int) -> None:
    before = known(L1T3).read(data)
    written = known(L1T3).rewrite(data, before["number"], active)
    assert written is not None
    after = known(L1T3).read(written)
    assert {**after, "active": ""} == {**before, "active": ""}
    if active and after.get("active"):
        assert int(after["active"], 2) == active & (1 << len(after["active"])) - 1


@settings(max_examples=500, deadline=None)
@given(st.lists(st.binary(max_size=120), min_size=1, max_size=4))
@example([BY_HAND, b"\xc0\0\1\xff\xff\xff\xff"])
def test_any_bytes_are_read_or_refused(descriptors: list[bytes]) -> None:
    stream = probe.Dependencies()
    for data in descriptors:
        told = stream.read(data)
        assert (told is None) == (len(data) < 3)
        if told and "needs" in told:
            assert told["spatial"] <= 3
            assert told["temporal"] <= 3
            assert len(told["references"]) <= 8


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, 63),
    st.integers(1, 8),
    st.lists(
        st.tuples(st.sampled_from(("same", "time", "space")), st.lists(st.integers(1, 16), max_size=8)),
        max_size=20,
    ),
    st.data(),
)
def test_any_structure_is_read_as_written(
    offset: int, targets: int, steps: list[tuple[str, list[int]]], data: st.DataObject
) -> None:
    templates, spatial, temporal = [], 0, 0
    chains = data.draw(st.integers(0, targets))
    for step, references in [("same", []), *steps]:
        temporal = temporal + 1 if step == "time" else 0 if step == "space" else temporal
        spatial += step == "space"
        indications = data.draw(st.text("-DSR", min_size=targets, max_size=targets))
        templates.append(Template(spatial, temporal, indications, tuple(references), (1,) * chains))
    structure = Structure(templates, protected_by=[0] * targets, offset=offset)
    assert known(structure).templates == [
        (t.spatial, t.temporal, t.indications, t.references) for t in templates
    ]
