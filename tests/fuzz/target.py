"""What runs under the sanitizer: rounds of mutated seeds, each round at one parser, and what they reached.

The packets of the conference go in behind decryption (`Core.receive_clear`), so that mutations reach the parsers
instead of the authentication tag; a share goes in front of it. A run that was long enough and did not come by every
reason for which packets are dropped has starved some parser, and fails.
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

ROOT = Path(__file__).resolve().parents[2]
CORPUS = Path(__file__).parent / "corpus"
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


def read_corpus() -> dict[str, list[bytes]]:
    """The seeds of each parser."""
    return {
        folder.name: [path.read_bytes() for path in sorted(folder.glob("*.bin"))]
        for folder in sorted(CORPUS.iterdir())
    }


class Run:
    """All rounds, and what they came by."""

    def __init__(self, plane: ModuleType, dice: random.Random, corpus: dict[str, list[bytes]]) -> None:
        self.plane = plane
        self.dice = dice
        self.corpus = corpus
        self.everything = [seed for seeds in corpus.values() for seed in seeds]
        self.executions: Counter[str] = Counter()
        self.reached: Counter[str] = Counter()
        self.conferences = 0

    def round(self, parser: str) -> None:
        """Some thousand inputs, mostly of one parser's seeds."""
        from tests.fuzz.checks import Checks  # noqa: PLC0415 - `media` is not what it is elsewhere before `load`
        from tests.fuzz.wire import Wire  # noqa: PLC0415

        self.executions[parser] += ROUND
        if parser in {"framing", "stun"}:
            target = Wire(self.plane, self.dice) if parser == "framing" else Checks(self.plane, self.dice)
            for _ in range(ROUND):
                target.feed(self.corpus[parser], self.everything)
            self.reached += target.close()
        else:
            self.converse(self.corpus[parser])

    def converse(self, own: list[bytes]) -> None:
        """A round of the conference. Its clock goes on fast enough that no bound on rates starves a parser."""
        from tests.fuzz.conference import Conference  # noqa: PLC0415
        from tests.fuzz.mutation import mutate  # noqa: PLC0415

        conference = Conference(self.plane, self.dice)
        for number in range(ROUND):
            conference.now += self.dice.choice((0, 1_000, 2_000, 5_000, 20_000))
            seeds = own if self.dice.random() < 0.7 else self.everything
            conference.feed(mutate(self.dice, seeds, self.everything))
            if number % CHECK_EVERY == 0:
                conference.disturb()
                conference.check()
        if self.conferences % FLOOD_EVERY == 0:
            conference.flood([seed for seed in own if len(seed) >= 12])
            conference.check()
        self.conferences += 1
        self.reached += conference.close()

    def missed(self) -> set[str]:
        """What every long enough run comes by, and this one did not."""
        return (set(self.plane.DROP_REASONS) - OUT_OF_REACH | CHECKS_REACHED) - set(+self.reached)


def main() -> int:
    """Feed for the given time of the processor, then say how much and what was reached."""
    plane = load(sys.argv[1])
    seconds = float(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().getrandbits(32)
    run = Run(plane, random.Random(seed), read_corpus())  # noqa: S311  mutations, not secrets
    print(f"fuzz: seed {seed}, {len(run.everything)} seeds of {len(run.corpus)} parsers, {seconds:g} s")  # noqa: T201
    while time.process_time() < seconds:  # a busy machine is to find no less
        for parser in run.corpus:
            run.round(parser)
    total = run.executions.total()
    rate = total / time.process_time()
    print(f"fuzz: {total} executions, {rate:.0f} a second, in {run.conferences} conferences; no finding")  # noqa: T201
    for reason, count in sorted(run.reached.items()):
        print(f"fuzz: reached {reason:24} {count:10}")  # noqa: T201
    missed = run.missed()
    print(f"fuzz: not reached {', '.join(sorted(missed)) or 'nothing that can be'}", flush=True)  # noqa: T201
    return 1 if missed and total >= ENOUGH else 0


if __name__ == "__main__":
    sys.exit(main())
