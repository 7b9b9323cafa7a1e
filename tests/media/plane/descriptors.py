"""Writes dependency descriptors (AV1's RTP payload format, appendix A), bit by bit as the specification has them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

NOT, DISCARDABLE, SWITCH, REQUIRED = range(4)
INDICATIONS = {"-": NOT, "D": DISCARDABLE, "S": SWITCH, "R": REQUIRED}


class Bits:
    """Most significant bit first."""

    def __init__(self) -> None:
        self.text = ""

    def put(self, value: int, count: int) -> None:
        """f(count)."""
        self.text += f"{value:0{count}b}" if count else ""

    def put_nonsymmetric(self, value: int, below: int) -> None:
        """ns(below)."""
        width = below.bit_length()
        short = (1 << width) - below
        if value < short:
            self.put(value, width - 1)
        else:
            self.put(value + short, width)

    def octets(self) -> bytes:
        """Filled up with zeros."""
        return int(self.text.ljust(-(-len(self.text) // 8) * 8, "0"), 2).to_bytes(
            -(-len(self.text) // 8), "big"
        )


@dataclass(frozen=True)
class Template:
    """Layers, indications as in "-DSR", references and chains as differences of the frame number."""

    spatial: int
    temporal: int
    indications: str
    references: tuple[int, ...] = ()
    chains: tuple[int, ...] = ()


@dataclass(frozen=True)
class Structure:
    """What a key frame brings; templates in the order of their layers."""

    templates: Sequence[Template]
    protected_by: Sequence[int] = ()
    sizes: Sequence[tuple[int, int]] = ()
    offset: int = 0

    @property
    def targets(self) -> int:
        return len(self.templates[0].indications)

    def write(self, bits: Bits) -> None:
        """template_dependency_structure()."""
        bits.put(self.offset, 6)
        bits.put(self.targets - 1, 5)
        for before, after in pairwise(self.templates):
            bits.put(2 if after.spatial > before.spatial else int(after.temporal > before.temporal), 2)
        bits.put(3, 2)
        for template in self.templates:
            for sign in template.indications:
                bits.put(INDICATIONS[sign], 2)
        for template in self.templates:
            for back in template.references:
                bits.put(1, 1)
                bits.put(back - 1, 4)
            bits.put(0, 1)
        self._write_chains(bits)
        bits.put(bool(self.sizes), 1)
        for width, height in self.sizes:
            bits.put(width - 1, 16)
            bits.put(height - 1, 16)

    def _write_chains(self, bits: Bits) -> None:
        chains = len(self.templates[0].chains)
        bits.put_nonsymmetric(chains, self.targets + 1)
        if chains:
            for chain in self.protected_by:
                bits.put_nonsymmetric(chain, chains)
            for template in self.templates:
                for back in template.chains:
                    bits.put(back, 4)


@dataclass(frozen=True)
class Descriptor:
    """One packet's."""

    template: int
    number: int
    first: bool = True
    last: bool = True
    structure: Structure | None = None
    active: str = ""  # decode targets as bits
    indications: str = ""
    references: tuple[int, ...] | None = None
    chains: tuple[int, ...] = field(default=())

    def octets(self) -> bytes:
        """dependency_descriptor()."""
        bits = Bits()
        bits.put(self.first, 1)
        bits.put(self.last, 1)
        bits.put(self.template, 6)
        bits.put(self.number & 0xFFFF, 16)
        own = (
            self.structure is not None,
            self.active,
            self.indications,
            self.references is not None,
            self.chains,
        )
        if any(own):
            for one in own:
                bits.put(bool(one), 1)
            if self.structure is not None:
                self.structure.write(bits)
            for active in self.active:
                bits.put(int(active), 1)
            for sign in self.indications:
                bits.put(INDICATIONS[sign], 2)
            for back in self.references or ():
                size = (max(back - 1, 1).bit_length() + 3) // 4
                bits.put(size, 2)
                bits.put(back - 1, 4 * size)
            if self.references is not None:
                bits.put(0, 2)
            for back in self.chains:
                bits.put(back, 8)
        return bits.octets()


# One spatial layer, three temporal ones, as libaom orders them: key, then 0 2 1 2.
L1T3 = Structure(
    [
        Template(0, 0, "SSS", (), (0,)),
        Template(0, 0, "SSS", (4,), (4,)),
        Template(0, 1, "-DS", (2,), (2,)),
        Template(0, 2, "--D", (1,), (1,)),
        Template(0, 2, "--D", (1,), (3,)),
    ],
    protected_by=(0, 0, 0),
    offset=11,
)


def spatial_structure(*, keyed: bool) -> Structure:
    """Two spatial and two temporal layers, decode targets in the order (0, 0), (0, 1), (1, 0), (1, 1).

    A picture's frames have consecutive numbers. Templates: key and delta of each layer.
    """
    upper = "--" if keyed else "RR"
    return Structure(
        [
            Template(0, 0, "SSSS", (), (0, 0)),
            Template(0, 0, "SS" + upper, (4,), (4, 4)),
            Template(0, 1, "-D" + ("--" if keyed else "-R"), (2,), (2, 2)),
            Template(1, 0, "--SS", (1,), (1, 1)),
            Template(1, 0, "--SS", (4,) if keyed else (4, 1), (1, 1)),
            Template(1, 1, "---D", (2,) if keyed else (2, 1), (3, 3)),
        ],
        protected_by=(0, 0, 1, 1),
        sizes=((320, 180), (640, 360)),
        offset=60,  # the identifiers wrap
    )
