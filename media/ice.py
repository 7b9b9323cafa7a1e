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

# RFC 8445 section 5.3 asks for 24 bits of user name and 128 of password; 12 of 64 characters and 32 are 72 and 192.
UFRAG_CHARACTERS = 12
PASSWORD_CHARACTERS = 32
ICE_CHARACTERS = string.ascii_letters + string.digits + "+/"

# Consent checks come every 5 s give or take a fifth (RFC 7675 section 5.1), Chromium's every 2.5 s.
DISCONNECTED_AFTER = 12.0  # two checks of the slowest sort are missing
FAILED_AFTER = 30.0  # consent expires: RFC 7675 section 5.1

# A check without USE-CANDIDATE moves us when the selected address has been silent this long: the peer's NAT gave it
# a new port, and peers with regular nomination (Firefox, aioice) never nominate again.
STALE_AFTER = 4.0

# Addresses one transport may hold: Wi-Fi, mobile, VPN, each with IPv4 and IPv6. The least lately checked goes.
MAX_ADDRESSES = 8


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
    def generate(cls) -> "IceCredentials":
        """From the operating system's random source."""
        return cls(_random(UFRAG_CHARACTERS), _random(PASSWORD_CHARACTERS))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from a check: the answer to send to its source, and what to count."""

    response: bytes
    reason: str
    accepted: bool = False
    new_address: bool = False  # accepted, and not known before


@dataclass(slots=True)
class IceAgent(Generic[AddressT]):
    """One transport's side of ICE."""

    credentials: IceCredentials = field(default_factory=IceCredentials.generate)
    previous: IceCredentials | None = None  # valid until the credentials that replaced them are used
    state: IceState = IceState.NEW
    selected: AddressT | None = None
    addresses: dict[AddressT, float] = field(default_factory=dict)  # validated -> when last checked
    last_check: float = 0.0

    def restart(self) -> IceCredentials | None:
        """New credentials (RFC 8445 section 9). Gives those that stop being valid at once: of a restart never used."""
        forgotten = self.previous
        self.previous = self.credentials
        self.credentials = IceCredentials.generate()
        return forgotten

    def password_of(self, ufrag: str) -> str | None:
        """The password that goes with `ufrag`, current or previous."""
        for credentials in (self.credentials, self.previous):
            if credentials is not None and credentials.ufrag == ufrag:
                return credentials.password
        return None

    def check(
        self, request: BindingRequest, source: AddressT, mapped: tuple[str, int], now: float
    ) -> Verdict:
        """A connectivity or consent check whose user name is ours; `mapped` is `source` as literal IP and port."""
        password = self.password_of(request.local_ufrag)
        if password is None or not request.has_integrity or not request.has_fingerprint:
            return Verdict(error_response(request, 400), "stun_bad_request")
        if not request.verified_by(password):
            return Verdict(error_response(request, 401), "stun_unauthenticated")
        if request.peer_is_controlled:
            return Verdict(error_response(request, 487, password), "stun_role_conflict")
        if request.local_ufrag == self.credentials.ufrag:
            self.previous = None
        new_address = source not in self.addresses
        self._believe(source, now)
        if self._moves(request, source, now):
            self.selected = source
        self.last_check = now
        self.state = IceState.CONNECTED
        response = success_response(request, *mapped, password)
        return Verdict(response, "stun_answered", accepted=True, new_address=new_address)

    def tick(self, now: float) -> IceState:
        """The state as time passes; call about once a second."""
        if self.state in {IceState.CONNECTED, IceState.DISCONNECTED}:
            silence = now - self.last_check
            if silence >= FAILED_AFTER:
                self.state = IceState.FAILED
            elif silence >= DISCONNECTED_AFTER:
                self.state = IceState.DISCONNECTED
        return self.state

    def _believe(self, source: AddressT, now: float) -> None:
        self.addresses[source] = now
        if len(self.addresses) > MAX_ADDRESSES:
            spare = (address for address in self.addresses if address not in {self.selected, source})
            del self.addresses[min(spare, key=self.addresses.__getitem__)]

    def _moves(self, request: BindingRequest, source: AddressT, now: float) -> bool:
        """Whether media goes to `source` from now on."""
        if self.selected is None or request.use_candidate:
            return True
        return self.selected != source and now - self.addresses[self.selected] >= STALE_AFTER


def _random(length: int) -> str:
    return "".join(secrets.choice(ICE_CHARACTERS) for _ in range(length))
