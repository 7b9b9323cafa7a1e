"""A connection: ICE and DTLS of one transport, between the pump and the plane.

The state machines are pure (`media.ice`, `media.dtls`); this is their edge: datagrams, timers, and the plane calls
that follow. Order: a valid check -> the plane knows the address; DTLS connected -> the plane has the keys; only then,
and only while admitted and consented to, does media pass. The plane holds no address that the agent does not believe.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Literal

from media.dtls import SETTLED_AFTER, DtlsSession, DtlsState
from media.dtls_parameters import DtlsParameters
from media.errors import WrongMediaState
from media.events import TransportState
from media.guard import plane_errors
from media.ice import IceAgent, IceCredentials, IceState
from media.identity import DtlsIdentity
from media.plane import Address, Profile, host_and_port, is_tcp
from media.pump import Pump
from media.stun import BindingRequest

_PROFILES = {
    "SRTP_AEAD_AES_128_GCM": Profile.AEAD_AES_128_GCM,
    "SRTP_AES128_CM_SHA1_80": Profile.AES_CM_128_HMAC_SHA1_80,
}


class Connection:
    """Made by its transport. `on_state` is called from the event loop, never from inside a call of the transport's."""

    def __init__(
        self, pump: Pump, identity: DtlsIdentity, on_state: Callable[[TransportState], None]
    ) -> None:
        self.pump = pump
        self.ice: IceAgent[Address] = IceAgent(pump.plane.letter)
        self.state = TransportState.NEW
        self._identity = identity
        self._on_state = on_state
        self._dtls: DtlsSession | None = None
        self._remote: DtlsParameters | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._admitted = False
        self._keyed = False
        self._connected_at: float | None = None
        self._left_to_plane: IceCredentials | None = None  # it answers checks made with these by itself
        self._open = True
        with plane_errors():
            self.handle = pump.plane.add_transport()
        pump.by_handle[self.handle] = self
        pump.by_ufrag[self.ice.credentials.ufrag] = self

    @property
    def admitted(self) -> bool:
        """What `set_admitted` was last told."""
        return self._admitted

    @property
    def dtls_state(self) -> DtlsState:
        """`new` until connect."""
        return DtlsState.NEW if self._dtls is None else self._dtls.state

    @property
    def asked(self) -> bool:
        """Whether the peer has begun, by `connect`."""
        return self._remote is not None

    @property
    def protocol(self) -> Literal["udp", "tcp"] | None:
        """How the client's selected address reaches us; None before there is one."""
        if self.ice.selected is None:
            return None
        return "tcp" if is_tcp(self.ice.selected) else "udp"

    def connect(self, remote: DtlsParameters) -> None:
        """The peer's fingerprints and role; a second time only the same. WrongMediaState already_connected."""
        if self._remote is not None:
            if remote != self._remote:
                raise WrongMediaState("already_connected")
            return
        self._remote = remote
        self._dtls = DtlsSession(self._identity, remote.our_role, remote.expected)
        if self.ice.selected is not None:
            # Checks may overtake the message that brought us here; on_state must not be called from inside it.
            asyncio.get_running_loop().call_soon(self._begin)

    def restart_ice(self) -> IceCredentials:
        """New credentials; the ones in use stay valid until later ones are used."""
        forgotten = self.ice.restart()
        if forgotten is not None:
            self.pump.by_ufrag.pop(forgotten.ufrag, None)
        self.pump.by_ufrag[self.ice.credentials.ufrag] = self
        return self.ice.credentials

    def set_admitted(self, admitted: bool) -> None:
        """Whether packets may pass while the peer consents."""
        self._admitted = admitted
        self._let_pass()

    def on_check(self, request: BindingRequest, source: Address, now: float, *, held: bool) -> None:
        """Answer a check and follow the peer to the address it chose; `held`: the plane counts the source as ours."""
        self._hear_of_consent()
        host, port = host_and_port(source)
        selected = self.ice.selected
        verdict = self.ice.check(request, source, (host, port), now)
        self.pump.counters[verdict.reason] += 1
        if not verdict.accepted:
            # An unauthenticated source gets no more bytes than it sent, and only so many answers.
            if len(verdict.response) <= request.length and self.pump.may_refuse(now):
                self.pump.send(source, [verdict.response])
            return
        for credentials in verdict.superseded:
            self.pump.by_ufrag.pop(credentials.ufrag, None)
        if verdict.forgotten is not None:
            self.pump.plane.forget_address(self.handle, verdict.forgotten)
        if self.ice.selected != selected:
            self.pump.plane.set_remote_address(self.handle, source)
            self.pump.counters["ice_address_selected"] += 1
        elif verdict.new_address or not held:
            # Believed and yet not held: a check for another transport has come from there since the last one for us.
            self.pump.plane.add_address(self.handle, source)
        self.pump.send(source, [verdict.response])
        self._leave_checks(self.ice.in_use)
        self._begin()

    def on_dtls(self, datagram: bytes, source: Address) -> None:
        """One step of the handshake, or a goodbye."""
        if self._dtls is None:
            self.pump.counters["dtls_before_connect"] += 1  # the client retransmits
            return
        self._dtls.receive(datagram)
        self._after_dtls(source)

    def tick(self, now: float) -> None:
        """Once a second: has the peer fallen silent, is the handshake long over?"""
        self._hear_of_consent()
        self.ice.media_heard(self.pump.plane.authentic_us(self.handle) / 1e6)
        if self.ice.tick(now) is IceState.NEW:
            return
        if self.ice.state is IceState.CONNECTED:
            self._settle(now)
        else:
            self._connected_at = None  # who lacks our last flight asks for it when he is back
            self._leave_checks(None)  # the next one says that the peer is back, and must be heard of at once
        self._update()

    def close(self) -> None:
        """Say goodbye and forget everything; the plane removes the transport's producers and consumers with it."""
        if not self._open:
            return
        self._open = False
        if self._timer is not None:
            self._timer.cancel()
        if self._dtls is not None:
            self._dtls.close()
            if self.ice.selected is not None:
                self.pump.send(self.ice.selected, self._dtls.take_outgoing())
        for credentials in self.ice.valid:
            self.pump.by_ufrag.pop(credentials.ufrag, None)
        self.pump.by_handle.pop(self.handle, None)
        self.state = TransportState.CLOSED
        with plane_errors():
            self.pump.plane.remove_transport(self.handle)

    def statistics(self) -> dict[str, Any]:
        """webrtc-stats' RTCTransportStats as far as ICE and DTLS know them."""
        connected = self._dtls if self._dtls is not None and self._dtls.keys is not None else None
        return {
            "iceRole": "controlled",
            "iceState": self.ice.state.value,
            "protocol": self.protocol,
            "dtlsState": self.dtls_state.value,
            "dtlsRole": "unknown" if self._dtls is None else self._dtls.role,
            "tlsVersion": connected.version if connected else None,
            "srtpCipher": connected.keys.profile if connected and connected.keys else None,
        }

    def _settle(self, now: float) -> None:
        """Once the handshake has been over for long enough, with the peer there all the while."""
        if not self._keyed or self._dtls is None or self._dtls.settled:
            return
        self._connected_at = now if self._connected_at is None else self._connected_at
        if now - self._connected_at >= SETTLED_AFTER:
            self._dtls.settle()
            self.pump.counters["dtls_settled"] += 1

    def _leave_checks(self, credentials: IceCredentials | None) -> None:
        """Have the plane answer what changes nothing: nearly all checks of a call, and all day long."""
        if credentials != self._left_to_plane:
            ufrag, password = credentials or ("", "")
            self.pump.plane.set_consent(self.handle, ufrag, password)
            self._left_to_plane = credentials

    def _hear_of_consent(self) -> None:
        self.ice.heard(self.pump.plane.consented_us(self.handle) / 1e6)

    def _begin(self) -> None:
        """An address is there; start DTLS if it is time to."""
        if not self._open:
            return
        if self._dtls is not None and self._dtls.state is DtlsState.NEW and self.ice.selected is not None:
            self._dtls.start()
            self._after_dtls(self.ice.selected)
            return
        if self._timer is None:
            self._schedule()
        self._update()

    def _after_dtls(self, destination: Address) -> None:
        if self._dtls is None:
            return
        self.pump.send(destination, self._dtls.take_outgoing())
        keys = self._dtls.keys
        if keys is not None and not self._keyed and self._dtls.state is DtlsState.CONNECTED:
            self.pump.plane.set_srtp(self.handle, _PROFILES[keys.profile], keys.receive, keys.send)
            self._keyed = True
            self.pump.counters["dtls_connected"] += 1
        elif self._dtls.state is DtlsState.FAILED and self.state is not TransportState.FAILED:
            self.pump.counters[f"dtls_{self._dtls.failure}"] += 1
        self._schedule()
        self._update()

    def _schedule(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        delay = None if self._dtls is None else self._dtls.timeout()
        if delay is not None:
            self._timer = asyncio.get_running_loop().call_later(delay, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        # Without consent nothing is sent (RFC 7675); the next check goes on with the handshake.
        if self._dtls is not None and self.ice.selected is not None and self.ice.state is not IceState.FAILED:
            self._dtls.handle_timeout()
            self._after_dtls(self.ice.selected)

    def _update(self) -> None:
        state = combined_state(self.ice.state, self.dtls_state)
        if not self._open or state is self.state:
            return
        self.state = state
        self._let_pass()
        self._on_state(state)

    def _let_pass(self) -> None:
        """RFC 7675: without consent nothing is sent, admitted or not."""
        if self._open:
            with plane_errors():
                consented = self.ice.state is not IceState.FAILED
                self.pump.plane.set_admitted(self.handle, self._admitted and consented)


def combined_state(ice: IceState, dtls: DtlsState) -> TransportState:
    """RTCPeerConnection.connectionState's rule, for one transport."""
    if dtls is DtlsState.CLOSED:
        return TransportState.CLOSED
    if dtls is DtlsState.FAILED or ice is IceState.FAILED:
        return TransportState.FAILED
    if ice is IceState.NEW:
        return TransportState.NEW
    if ice is IceState.DISCONNECTED:
        return TransportState.DISCONNECTED
    return TransportState.CONNECTED if dtls is DtlsState.CONNECTED else TransportState.CONNECTING
