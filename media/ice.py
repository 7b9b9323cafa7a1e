"""ICE-lite (RFC 8445): one transport's credentials, checks and selected address, without sockets or clock.

The peer is always the full, controlling agent. We answer its checks, believe an address only after a check from it
carried our password, and send to the address the peer nominated. `now` is in seconds of a monotonic clock.
"""

import secrets
import string
from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

from media.stun import BindingRequest, error_response, success_response

# RFC 8445 section 5.3 asks for 24 bits of user name and 128 of password; 11 of 64 characters (the first is no secret)
# and 32 are 66 and 192.
UFRAG_CHARACTERS = 12
PASSWORD_CHARACTERS = 32
ICE_CHARACTERS = string.ascii_letters + string.digits + "+/"

# Consent checks come every 5 s give or take a fifth (RFC 7675 section 5.1), Chromium's every 2.5 s.
DISCONNECTED_AFTER = 12.0  # two checks of the slowest sort are missing
FAILED_AFTER = 30.0  # consent expires: RFC 7675 section 5.1

# A check without USE-CANDIDATE moves us when the selected address has been silent this long: the peer's NAT gave it
# a new port, and peers with regular nomination (Firefox, aioice) never nominate again.
STALE_AFTER = 4.0

# Addresses one transport may hold: Wi-Fi, mobile, VPN, each with IPv4 and IPv6. The least lately checked goes. The
# rule is ours alone: the plane, which has room for as many, forgets what a verdict says is forgotten.
MAX_ADDRESSES = 8

# Credentials valid at a time: those in use and two that the peer may have got since and not come round to.
MAX_CREDENTIALS = 3


# A peer's transport address in whatever form the sockets' owner uses; it only has to be comparable.
AddressT = TypeVar("AddressT", bound=Hashable)


class IceState(StrEnum):
    """webrtc's RTCIceTransportState, as far as a lite agent knows it."""

    NEW = "new"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    FAILED = "failed"


class IceCredentials(NamedTuple):
    """What the peer must know to reach us."""

    ufrag: str
    password: str

    @classmethod
    def generate(cls, letter: str = "") -> "IceCredentials":
        """From the operating system's random source; the user name begins with `letter`."""
        return cls(letter + _random(UFRAG_CHARACTERS - len(letter)), _random(PASSWORD_CHARACTERS))


@dataclass(frozen=True, slots=True)
class Verdict(Generic[AddressT]):
    """What follows from a check: the answer to send to its source, what to count, and what is no longer valid."""

    response: bytes
    reason: str
    accepted: bool = False
    new_address: bool = False  # accepted, and not believed before
    forgotten: AddressT | None = None  # believed until now
    superseded: tuple[IceCredentials, ...] = ()


@dataclass(slots=True)
class IceAgent(Generic[AddressT]):
    """One transport's side of ICE; its user names begin with `letter`, by which planes that share a port know them."""

    letter: str = ""
    # The first are in use, by whatever checks come; those of later restarts follow. A browser may go on with the old
    # ones for as long as the call lasts, even from a new port.
    valid: list[IceCredentials] = field(default_factory=list)
    state: IceState = IceState.NEW
    selected: AddressT | None = None
    addresses: dict[AddressT, float] = field(default_factory=dict)  # validated -> when last checked
    last_check: float = 0.0
    last_media: float = 0.0

    def __post_init__(self) -> None:
        self.valid = self.valid or [IceCredentials.generate(self.letter)]

    @property
    def in_use(self) -> IceCredentials:
        """Those of the peer's last check; before there was one, the first."""
        return self.valid[0]

    @property
    def credentials(self) -> IceCredentials:
        """The newest: what a peer is told."""
        return self.valid[-1]

    def restart(self) -> IceCredentials | None:
        """New credentials (RFC 8445 section 9). Gives those that stop being valid at once: of a restart never used."""
        self.valid.append(IceCredentials.generate(self.letter))
        return self.valid.pop(1) if len(self.valid) > MAX_CREDENTIALS else None

    def check(
        self, request: BindingRequest, source: AddressT, mapped: tuple[str, int], now: float
    ) -> Verdict[AddressT]:
        """A connectivity or consent check whose user name is ours; `mapped` is `source` as literal IP and port."""
        used = next((one for one in self.valid if one.ufrag == request.local_ufrag), None)
        if used is None or not request.has_integrity or not request.has_fingerprint:
            return Verdict(error_response(request, 400), "stun_bad_request")
        if not request.verified_by(used.password):
            return Verdict(error_response(request, 401), "stun_unauthenticated")
        if request.peer_is_controlled:
            return Verdict(error_response(request, 487, used.password), "stun_role_conflict")
        self.last_check = now
        self.state = IceState.CONNECTED
        new_address = source not in self.addresses
        self.addresses[source] = now
        if self._moves(request, source, now):
            self.selected = source
        return Verdict(
            success_response(request, *mapped, used.password),
            "stun_answered",
            accepted=True,
            new_address=new_address,
            forgotten=self._forget(source),
            superseded=self._supersede(used),
        )

    def heard(self, at: float) -> None:
        """Somebody else answered a check that changed nothing, from the selected address, at `at`."""
        if at > self.last_check and self.selected is not None:
            self.last_check = at
            self.addresses[self.selected] = at

    def media_heard(self, at: float) -> None:
        """The last authentic packet came at `at`, from any address: the peer lives, though he may send no more checks.

        Consent (RFC 7675) binds who sends checks, and a lite agent sends none; once it has nominated, libnice up to
        0.1.21 goes on with Binding indications, which nobody signs. Of no address is anything said: who has moved is
        found by his checks.
        """
        self.last_media = at

    def tick(self, now: float) -> IceState:
        """The state as time passes; call about once a second."""
        if self.state in {IceState.CONNECTED, IceState.DISCONNECTED}:
            silence = now - max(self.last_check, self.last_media)
            if silence >= FAILED_AFTER:
                self.state = IceState.FAILED  # nothing passes any more: a check alone brings it back
            elif silence >= DISCONNECTED_AFTER:
                self.state = IceState.DISCONNECTED
            else:
                self.state = IceState.CONNECTED
        return self.state

    def _forget(self, source: AddressT) -> AddressT | None:
        """The address that makes room for the source of this check, if one must."""
        if len(self.addresses) <= MAX_ADDRESSES:
            return None
        spare = (address for address in self.addresses if address not in {self.selected, source})
        forgotten = min(spare, key=self.addresses.__getitem__)
        del self.addresses[forgotten]
        return forgotten

    def _supersede(self, used: IceCredentials) -> tuple[IceCredentials, ...]:
        """Credentials older than those in use are not valid any more."""
        at = self.valid.index(used)
        superseded = tuple(self.valid[:at])
        del self.valid[:at]
        return superseded

    def _moves(self, request: BindingRequest, source: AddressT, now: float) -> bool:
        """Whether media goes to `source` from now on."""
        if self.selected is None or request.use_candidate:
            return True
        return self.selected != source and now - self.addresses[self.selected] >= STALE_AFTER


def _random(length: int) -> str:
    return "".join(secrets.choice(ICE_CHARACTERS) for _ in range(length))
