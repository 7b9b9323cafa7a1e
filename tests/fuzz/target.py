"""What runs under the sanitizers: rounds of mutated seeds, each round at one parser, and what they reached.

An input that takes the plane where it has not been is kept, to be mutated in its turn. The packets of the conference go
in behind decryption (`Core.receive_clear`), so that mutations reach the parsers instead of the authentication tag; a
share goes in front of it. A run that was long enough and did not come by every reason for which packets are dropped has
starved some parser, and fails.
"""

import random
import sys
import time
from collections import Counter
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from tests.fuzz.guidance import Corpus, Edges, Last

if TYPE_CHECKING:
    from tests.fuzz.conference import Conference
    from tests.fuzz.targets import Target

ROOT = Path(__file__).resolve().parents[2]
STARVED = 2  # the exit code of a run without a finding that came by too little
ROUND = 4_000
CHECK_EVERY = 64
FLOOD_EVERY = 8  # rounds of the conference

# What only sockets, a machine without memory, or a bound that no round can reach would bring about.
OUT_OF_REACH = {
    "event_queue_full",
    "exchange_full",
    "left_ring",
    "let_go",
    "no_address",
    "no_keys",
    "protect",
    "send_no_buffers",
    "send_refused",
    "send_would_block",
    "tcp_closed",
    "tcp_full",
    "too_many_ssrcs",
}
CHECKS_REACHED = {
    "stun_answered",
    "stun_bad_request",
    "stun_malformed",
    "stun_not_a_binding_request",
    "stun_role_conflict",
    "stun_unauthenticated",
    "stun_without_username",
}
ENOUGH = 200_000  # packets, after which everything has been reached many times over


class Instrumented(MetaPathFinder):
    """Finds the instrumented module in the place of the usual one."""

    def __init__(self, path: str) -> None:
        self.path = path

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """The one spec that differs."""
        del path, target
        return spec_from_file_location(fullname, self.path) if fullname == "media.plane.native" else None


def load(path: str) -> ModuleType:
    """The plane's package with the instrumented module, without the rest of `media`."""
    media = ModuleType("media")
    media.__path__ = [str(ROOT / "media")]
    sys.modules["media"] = media
    sys.meta_path.insert(0, Instrumented(path))
    return import_module("media.plane")


class Run:
    """All rounds, and what they came by."""

    def __init__(self, plane: ModuleType, dice: random.Random, last: Path) -> None:
        self.plane = plane
        self.dice = dice
        self.corpus = Corpus(dice)
        self.edges = Edges()
        self.last = Last(last)
        self.executions: Counter[str] = Counter()
        self.reached: Counter[str] = Counter()
        self.conferences = 0

    def round(self, parser: str) -> None:
        """Some thousand inputs, mostly of one parser's."""
        # Not before `load`, which lets `media` be what it is not elsewhere.
        from tests.fuzz.conference import Conference  # noqa: PLC0415
        from tests.fuzz.targets import target_for  # noqa: PLC0415

        target = target_for(parser, self.plane, self.dice)
        if isinstance(target, Conference):
            self.converse(parser, target)
        else:
            for _ in range(ROUND):
                self.attempt(parser, target)
        self.reached += target.close()
        self.executions[parser] += ROUND

    def attempt(self, parser: str, target: "Target") -> None:
        """One input, which is kept if it leads to something new."""
        data = self.corpus.invent(parser)
        self.last.note(parser, data)
        before = self.edges.taken
        target.feed(data)
        if self.edges.taken > before:
            self.corpus.keep(parser, data)

    def converse(self, parser: str, conference: "Conference") -> None:
        """A round of the conference. Its clock goes on fast enough that no bound on rates starves a parser."""
        for number in range(ROUND):
            conference.now += self.dice.choice((0, 1_000, 2_000, 5_000, 20_000))
            self.attempt(parser, conference)
            if number % CHECK_EVERY == 0:
                conference.disturb()
                conference.check()
        if self.conferences % FLOOD_EVERY == 0:
            conference.flood([seed for seed in self.corpus.seeds[parser] if len(seed) >= 12])
            conference.check()
        self.conferences += 1

    def missed(self) -> set[str]:
        """What every long enough run comes by, and this one did not."""
        return (set(self.plane.DROP_REASONS) - OUT_OF_REACH | CHECKS_REACHED) - set(+self.reached)


def main() -> int:
    """Feed for the given time of the processor, then say how much and what was reached."""
    plane = load(sys.argv[1])
    last, seconds = Path(sys.argv[2]), float(sys.argv[3])
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.SystemRandom().getrandbits(32)
    run = Run(plane, random.Random(seed), last)  # noqa: S311  mutations, not secrets
    seeds = run.corpus.seeds
    print(f"fuzz: seed {seed}, {len(run.corpus.everything)} seeds of {len(seeds)} parsers, {seconds:g} s")  # noqa: T201
    while time.process_time() < seconds:  # a busy machine is to find no less
        for parser in seeds:
            run.round(parser)
    total = run.executions.total()
    rate = total / time.process_time()
    kept = sum(len(inputs) for inputs in run.corpus.kept.values())
    print(f"fuzz: {total} executions, {rate:.0f} a second, in {run.conferences} conferences; no finding")  # noqa: T201
    print(f"fuzz: {run.edges.taken} edges; {kept} inputs led to new ones")  # noqa: T201
    for reason, count in sorted(run.reached.items()):
        print(f"fuzz: reached {reason:24} {count:10}")  # noqa: T201
    missed = run.missed()
    print(f"fuzz: not reached {', '.join(sorted(missed)) or 'nothing that can be'}", flush=True)  # noqa: T201
    return STARVED if missed and total >= ENOUGH else 0


if __name__ == "__main__":
    sys.exit(main())
