"""What inputs are made of: the seeds of each parser, and whatever led to where in the plane nothing had been before."""

import ctypes
import mmap
import random
from pathlib import Path

from tests.fuzz.mutation import mutate

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"  # what `tests.fuzz.seeds` makes
FOUND = HERE / "found"  # what fuzzing brought up
STREAM_MOST = 10_000
OTHERS = 0.3  # of packets: the share that begins with another parser's seed
KEPT = 0.5  # of the rest


class Edges:
    """How much of the instrumented plane has been reached, counted by `edges.c`."""

    def __init__(self) -> None:
        self._taken = ctypes.c_uint32.in_dll(ctypes.CDLL(None), "huitang_edges")

    @property
    def taken(self) -> int:
        """Edges so far."""
        return self._taken.value


class Last:
    """The input that is being tried, in a file, which outlives the process that a sanitizer ends."""

    def __init__(self, path: Path) -> None:
        with path.open("w+b") as file:
            file.truncate(1 << 16)
            self._memory = mmap.mmap(file.fileno(), 0)

    def note(self, parser: str, data: bytes) -> None:
        """Costs no system call."""
        head = f"{parser} {len(data)}\n".encode()
        self._memory[: len(head) + len(data)] = head + data

    @staticmethod
    def read(path: Path) -> tuple[str, bytes]:
        """The parser and its input."""
        head, _, data = path.read_bytes().partition(b"\n")
        parser, length = head.decode().split()
        return parser, data[: int(length)]


def read_inputs(root: Path) -> dict[str, dict[str, bytes]]:
    """Parser -> name -> input."""
    return {
        folder.name: {path.stem: path.read_bytes() for path in sorted(folder.glob("*.bin"))}
        for folder in sorted(root.iterdir())
    }


class Corpus:
    """The inputs there are, and new ones made of them."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.seeds = {parser: list(files.values()) for parser, files in read_inputs(CORPUS).items()}
        for parser, files in read_inputs(FOUND).items():
            self.seeds[parser] += files.values()
        self.kept: dict[str, list[bytes]] = {parser: [] for parser in self.seeds}
        self.everything = [seed for seeds in self.seeds.values() for seed in seeds]

    def invent(self, parser: str) -> bytes:
        """An input of the parser's kind."""
        if parser == "stun":
            return mutate(self.dice, self.choose(parser), self.everything)
        if parser == "framing":  # all that one connection sends
            several = self.dice.choice((1, 2, 5))
            messages = (
                mutate(self.dice, self.choose(parser), self.everything, STREAM_MOST) for _ in range(several)
            )
            return b"".join(messages)[:STREAM_MOST]
        own = self.everything if self.dice.random() < OTHERS else self.choose(parser)
        return mutate(self.dice, own, self.everything)

    def choose(self, parser: str) -> list[bytes]:
        """What to begin with: seeds, or what was kept of them."""
        kept = self.kept[parser]
        return kept if kept and self.dice.random() < KEPT else self.seeds[parser]

    def keep(self, parser: str, data: bytes) -> None:
        """It led to something new, and what is made of it may lead further."""
        self.kept[parser].append(data)
        self.everything.append(data)
