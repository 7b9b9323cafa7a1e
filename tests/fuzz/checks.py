"""ICE checks at the agent: nothing but what was signed with its password is ever accepted."""

import random
from collections import Counter

from media.ice import MAX_ADDRESSES, MAX_CREDENTIALS, IceAgent, IceCredentials
from media.stun import StunError, parse_binding_request, peek_local_ufrag
from tests.fuzz.conference import PASSWORD, UFRAG
from tests.fuzz.mutation import mutate


class Checks:
    """An agent whose credentials are those of the seeds."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.agent: IceAgent[int] = IceAgent(valid=[IceCredentials(UFRAG, PASSWORD)])
        self.reasons: Counter[str] = Counter()
        self.now = 0.0

    def feed(self, own: list[bytes], others: list[bytes]) -> None:
        """One datagram from anywhere."""
        datagram = mutate(self.dice, own, others)
        self.now += 0.1
        peek_local_ufrag(datagram)
        try:
            request = parse_binding_request(datagram)
        except StunError as error:
            self.reasons[error.reason] += 1
            return
        verdict = self.agent.check(request, self.dice.randrange(40), ("192.0.2.1", 9), self.now)
        self.reasons[verdict.reason] += 1
        if verdict.accepted and datagram not in own:
            raise AssertionError(f"accepted though changed: {datagram.hex()}")
        if len(self.agent.addresses) > MAX_ADDRESSES or len(self.agent.valid) > MAX_CREDENTIALS:
            raise AssertionError("the agent has grown")
        self.agent.tick(self.now)
        if self.dice.random() < 0.001:
            self.agent = IceAgent(valid=[IceCredentials(UFRAG, PASSWORD)])

    def close(self) -> Counter[str]:
        """How checks fared."""
        return self.reasons
