"""A peer of the benchmark: joins over the real signaling and ICE and DTLS, then leaves its socket to `load`."""

import asyncio
import socket
from dataclasses import dataclass, field
from typing import Any

from aioice import stun
from aiortc.rtcdtlstransport import RTCCertificate
from OpenSSL import SSL
from pylibsrtp import Policy, Session

from bench.wire import Wire

PROFILE = b"SRTP_AEAD_AES_128_GCM"
KEY, SALT = 16, 12  # bytes of its master key and salt (RFC 7714 section 12.1)
STEP_TIMEOUT = 10.0  # seconds: on loopback every step is done in milliseconds, or never
RETRY = 0.25  # seconds between repetitions of a datagram that may have been lost
CONSENT = 10.0  # seconds between checks, well within the 30 s of RFC 7675
TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
MTU = 1200  # bytes
UFRAG, PASSWORD = "bench", "a-benchmark-has-no-secrets"  # of every peer here
TRACKS = {
    "video": ("video/vp8", "camera", "0"),
    "audio": ("audio/opus", "microphone", "1"),
}  # codec, source, MID
SO_TIMESTAMPNS = 35  # asm-generic/socket.h; the socket module does not name it


class JoinError(Exception):
    """The server refused a step, or did not answer it."""


@dataclass
class Connection:
    """One transport: a connected UDP socket, the check that keeps consent, and its SRTP sessions."""

    socket: socket.socket
    check: bytes
    outbound: Session
    inbound: Session


@dataclass
class Peer:
    """One participant; `rtp_capabilities` are the router's own, but for the feedback that a counter does not send."""

    wire: Wire
    peer_id: str = ""
    rtp_capabilities: dict[str, Any] = field(default_factory=dict)
    producers: list[str] = field(default_factory=list)
    open_producers: list[str] = field(default_factory=list)  # those that were not paused
    owners: dict[str, str] = field(default_factory=dict)  # producer -> its peer
    connections: list[Connection] = field(default_factory=list)
    keeping: asyncio.Task[None] | None = None

    async def call(self, event: str, payload: dict[str, Any]) -> Any:
        """Send `event` and return the acknowledged data; JoinError if it was refused."""
        answer = await self.wire.call(event, payload, STEP_TIMEOUT)
        if not answer["ok"]:
            raise JoinError(f"{event}: {answer['error']}")
        return answer["data"]

    async def connect(self, direction: str, certificate: RTCCertificate) -> tuple[str, Connection]:
        """Create a transport and bring ICE and DTLS up; returns its id and the connection."""
        offered = await self.call("createTransport", {"direction": direction})
        fingerprint = certificate.getFingerprints()[0]
        fingerprints = [{"algorithm": fingerprint.algorithm, "value": fingerprint.value}]
        dtls = {"role": "client", "fingerprints": fingerprints}
        await self.call("connectTransport", {"transportId": offered["id"], "dtlsParameters": dtls})
        host, port = next(
            (candidate["ip"], candidate["port"])
            for candidate in offered["iceCandidates"]
            if candidate["protocol"] == "udp" and ":" not in candidate["ip"]
        )
        sock = open_socket()
        sock.connect((host, port))
        connection = await reach(sock, offered["iceParameters"], certificate)
        self.connections.append(connection)
        self.keeping = self.keeping or asyncio.create_task(self.consent())
        return offered["id"], connection

    async def consume(self, transport: str, producer: str) -> None:
        """Receive one producer's packets on a transport of this peer's."""
        wanted = {"transportId": transport, "producerId": producer, "rtpCapabilities": self.rtp_capabilities}
        consumer = await self.call("consume", wanted)
        await self.call("resumeConsumer", {"consumerId": consumer["id"]})

    async def consent(self) -> None:
        """Show for ever that this peer still wants to receive; `load` drops the answers."""
        while True:
            await asyncio.sleep(CONSENT)
            for connection in self.connections:
                connection.socket.send(connection.check)

    async def close(self) -> None:
        """Leave, and close the sockets."""
        if self.keeping:
            self.keeping.cancel()
        await self.wire.close()
        for connection in self.connections:
            connection.socket.close()


def open_socket(address: str = "") -> socket.socket:
    """A UDP socket with room for a burst, whose datagrams come with the time of their arrival."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    sock.bind((address, 0))
    return sock


async def reach(
    sock: socket.socket, ice_parameters: dict[str, str], certificate: RTCCertificate
) -> Connection:
    """Bring ICE and DTLS up with the server that `sock` is connected to, ICE-lite or not."""
    check = _binding_request(ice_parameters)
    await _check(sock, check)
    return await _handshake(sock, certificate, bytes(check))


async def join(url: str, cookie: str, meeting_id: str) -> Peer:
    """Connect with the session `cookie` and join the meeting."""
    peer = Peer(await Wire.open(url, cookie, STEP_TIMEOUT))
    joined = await peer.call("join", {"meetingId": meeting_id})
    if joined["state"] != "admitted":
        raise JoinError(f"join: {joined['state']}")
    peer.peer_id = joined["peerId"]
    peer.rtp_capabilities = _without_feedback(joined["routerRtpCapabilities"])
    peer.owners = {
        producer["producerId"]: other["peerId"]
        for other in joined["peers"]
        for producer in other["producers"]
    }
    producers = [producer for other in joined["peers"] for producer in other["producers"]]
    peer.producers = [producer["producerId"] for producer in producers]
    peer.open_producers = [producer["producerId"] for producer in producers if not producer["paused"]]
    return peer


def _without_feedback(capabilities: dict[str, Any]) -> dict[str, Any]:
    """Who asks for bandwidth estimation and then reports nothing is taken for a line that is cut."""
    extensions = [each for each in capabilities["headerExtensions"] if each["uri"] != TRANSPORT_CC]
    return {**capabilities, "headerExtensions": extensions}


async def produce(peer: Peer, transport: str, kind: str, *ssrcs: int, mode: str | None = None) -> int:
    """Announce a camera (VP8) or a microphone (Opus); returns its payload type.

    Several SSRCs are simulcast, the smallest first; `mode` is each one's scalability mode, if it has layers.
    """
    mime, source, mid = TRACKS[kind]
    codec = next(each for each in peer.rtp_capabilities["codecs"] if each["mimeType"].lower() == mime)
    payload_type: int = codec["preferredPayloadType"]
    parameters = {
        "mid": mid,
        "codecs": [
            {
                "mimeType": codec["mimeType"],
                "payloadType": payload_type,
                "clockRate": codec["clockRate"],
                **({"channels": codec["channels"]} if "channels" in codec else {}),
                "parameters": codec.get("parameters", {}),
                "rtcpFeedback": codec.get("rtcpFeedback", []),
            }
        ],
        "headerExtensions": [],
        "encodings": [{"ssrc": ssrc} | ({"scalabilityMode": mode} if mode else {}) for ssrc in ssrcs],
        "rtcp": {"cname": "benchmark", "reducedSize": True},
    }
    wanted = {"transportId": transport, "kind": kind, "rtpParameters": parameters, "source": source}
    await peer.call("produce", wanted)
    return payload_type


async def _receive(sock: socket.socket) -> bytes:
    """The next datagram that is not a check of the other side; those are answered."""
    async with asyncio.timeout(RETRY):
        while True:
            data = await asyncio.get_running_loop().sock_recv(sock, 2048)
            if data[:2] != stun.Method.BINDING.to_bytes(2):
                return data
            request = stun.parse_message(data)
            answer = stun.Message(
                stun.Method.BINDING, stun.Class.RESPONSE, transaction_id=request.transaction_id
            )
            answer.attributes["XOR-MAPPED-ADDRESS"] = sock.getpeername()
            answer.add_message_integrity(PASSWORD.encode())
            sock.send(bytes(answer))


def _binding_request(remote: dict[str, str]) -> stun.Message:
    """A nominating ICE check (RFC 8445 section 7); repeated later, it is the consent of RFC 7675."""
    request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    request.attributes["USERNAME"] = f"{remote['usernameFragment']}:{UFRAG}"
    request.attributes["PRIORITY"] = 1853824767
    request.attributes["ICE-CONTROLLING"] = (1 << 64) - 1  # wins every conflict of roles
    request.attributes["USE-CANDIDATE"] = None
    request.add_message_integrity(remote["password"].encode())
    request.add_fingerprint()
    return request


async def _check(sock: socket.socket, request: stun.Message) -> None:
    """Send the check until it is answered."""
    for _ in range(int(STEP_TIMEOUT / RETRY)):
        sock.send(bytes(request))
        try:
            answer = stun.parse_message(await _receive(sock))
        except TimeoutError:
            continue
        if answer.transaction_id == request.transaction_id and answer.message_class is stun.Class.RESPONSE:
            return
    raise JoinError("no answer to the ICE check")


async def _handshake(sock: socket.socket, certificate: RTCCertificate, check: bytes) -> Connection:
    """DTLS as client, then the SRTP keys of RFC 5764 section 4.2."""
    context = SSL.Context(SSL.DTLS_CLIENT_METHOD)
    context.set_verify(SSL.VERIFY_PEER, lambda *_: True)  # whom we reached was proved by the ICE password
    context.use_certificate(certificate._cert)  # noqa: SLF001 - aiortc keeps it private
    context.use_privatekey(certificate._key)  # noqa: SLF001
    context.set_tlsext_use_srtp(PROFILE)
    tls = SSL.Connection(context)
    tls.set_connect_state()
    tls.set_ciphertext_mtu(MTU)
    for _ in range(int(STEP_TIMEOUT / RETRY)):
        try:
            tls.do_handshake()
            done = True
        except SSL.WantReadError:
            done = False
        _flush(tls, sock)
        if done:
            break
        try:
            data = await _receive(sock)
        except TimeoutError:
            sock.send(check)  # the first one may have come before the other side knew of us
            tls.DTLSv1_handle_timeout()
            continue
        if 20 <= data[0] <= 63:  # noqa: PLR2004 - DTLS, by RFC 7983
            tls.bio_write(data)
    else:
        raise JoinError("the DTLS handshake was not finished")
    keys = tls.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (KEY + SALT))
    ours = keys[:KEY] + keys[2 * KEY : 2 * KEY + SALT]
    theirs = keys[KEY : 2 * KEY] + keys[2 * KEY + SALT :]
    return Connection(
        sock,
        check,
        outbound=Session(_policy(ours, Policy.SSRC_ANY_OUTBOUND)),
        inbound=Session(_policy(theirs, Policy.SSRC_ANY_INBOUND)),
    )


def _policy(key: bytes, direction: int) -> Policy:
    return Policy(key=key, ssrc_type=direction, srtp_profile=Policy.SRTP_PROFILE_AEAD_AES_128_GCM)


def _flush(tls: SSL.Connection, sock: socket.socket) -> None:
    while True:
        try:
            flight = tls.bio_read(65536)
        except SSL.WantReadError:
            return
        for record in _records(flight):
            sock.send(record)


def _records(flight: bytes) -> list[bytes]:
    """A flight cut into its DTLS records (RFC 6347 section 4.1: 13 bytes of header, the length at 11)."""
    records = []
    while flight:
        end = 13 + int.from_bytes(flight[11:13])
        records.append(flight[:end])
        flight = flight[end:]
    return records
