"""ICE checks at the agent, which accepts nothing but what was signed with its password.

At a plane that answers repeated checks by itself: it answers those that the agent accepts, in the same words. And at
planes that share a port: that one hears them which the user name begins with.
"""

import random
from collections import Counter
from types import ModuleType
from typing import Any

from media.ice import MAX_ADDRESSES, MAX_CREDENTIALS, IceAgent, IceCredentials
from media.stun import StunError, parse_binding_request, peek_local_ufrag
from tests.fuzz.conference import LONGEST, PASSWORD, UFRAG, address
from tests.fuzz.guidance import CORPUS, read_inputs

HERE = address(9)  # 127.0.0.1
LETTERS = "abcdef"  # of the planes; the seeds' user name is the last one's


class Checks:
    """An agent whose credentials are those of the seeds."""

    def __init__(self, plane: ModuleType, dice: random.Random) -> None:
        exchange = plane.Exchange(len(LETTERS))
        self.planes: list[Any] = [plane.Core(exchange=exchange) for _ in LETTERS]
        self.consenting: Any = plane.Core()
        transport = self.consenting.add_transport()
        self.consenting.set_remote_address(transport, HERE)
        self.consenting.set_consent(transport, UFRAG, PASSWORD)
        self.dice = dice
        self.genuine = set(read_inputs(CORPUS)["stun"].values())
        self.agent: IceAgent[int] = IceAgent(valid=[IceCredentials(UFRAG, PASSWORD)])
        self.reasons: Counter[str] = Counter()
        self.now = 0.0

    def feed(self, data: bytes) -> None:
        """One datagram from anywhere."""
        self.now += 0.1
        self.send_around(data)
        answers = self.repeat(data)
        try:
            request = parse_binding_request(data)
        except StunError as error:
            self.reasons[error.reason] += 1
            if answers:
                raise AssertionError(f"answered though wrong: {data.hex()}") from error
            return
        verdict = self.agent.check(request, self.dice.randrange(40), ("127.0.0.1", 9), self.now)
        self.reasons[verdict.reason] += 1
        if answers != [verdict.response] * verdict.accepted:
            raise AssertionError(f"answered otherwise than by the agent: {data.hex()}")
        if verdict.accepted and data not in self.genuine:
            raise AssertionError(f"accepted though changed: {data.hex()}")
        if len(self.agent.addresses) > MAX_ADDRESSES or len(self.agent.valid) > MAX_CREDENTIALS:
            raise AssertionError("the agent has grown")
        self.agent.tick(self.now)
        if self.dice.random() < 0.001:
            self.agent = IceAgent(valid=[IceCredentials(UFRAG, PASSWORD)])

    def repeat(self, datagram: bytes) -> list[bytes]:
        """What the plane answers by itself; Python hears of everything else."""
        self.consenting.receive(datagram, HERE, 0)
        answers = [data for _, data in self.consenting.sent()]
        heard = len(self.consenting.drain_control())
        if datagram[:1] < b"\4" and 0 < len(datagram) <= LONGEST and len(answers) + heard != 1:
            raise AssertionError(f"neither answered nor heard: {datagram.hex()}")
        return answers

    def send_around(self, datagram: bytes) -> None:
        """To the first of the planes."""
        self.planes[0].receive(datagram, HERE, 0)
        self.planes[-1].advance(0)
        heard = [len(plane.drain_control()) for plane in (self.planes[0], self.planes[-1])]
        ufrag = peek_local_ufrag(datagram)
        if ufrag and datagram[0] <= 3 and heard != [ufrag[0] not in LETTERS[1:], ufrag[0] == LETTERS[-1]]:
            raise AssertionError(f"heard by the wrong plane: {datagram.hex()}")

    def close(self) -> Counter[str]:
        """How checks fared."""
        return self.reasons
