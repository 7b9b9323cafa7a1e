"""Our TURN credentials at Debian's coturn, over UDP, TCP and TLS, and through it to the media port."""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aioice
import pytest

from media import MediaEngine, MediaSettings
from signaling.ice_servers import ice_servers
from signaling.settings import IceServer
from tests.media.peers import Listener
from tests.patience import PATIENCE_SECONDS

SECRET = "a secret shared with coturn"
COTURN = Path("/usr/bin/turnserver")
HOUR = 3600

pytestmark = pytest.mark.skipif(not COTURN.exists(), reason="coturn is not installed")


@pytest.fixture
async def ports(tmp_path: Path) -> AsyncIterator[tuple[int, int]]:
    """A coturn of our own: its plain and its TLS port."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    await make_certificate(certificate, key)
    plain, tls = free_port(), free_port()
    process = await asyncio.create_subprocess_exec(
        COTURN,
        *("-n", "--no-cli", "--log-file", "stdout", "--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1"),
        *("--listening-port", str(plain), "--tls-listening-port", str(tls), "--allow-loopback-peers"),
        *("--use-auth-secret", "--static-auth-secret", SECRET, "--realm", "example.org"),
        *("--cert", str(certificate), "--pkey", str(key)),
        *("--pidfile", str(tmp_path / "pid"), "--db", str(tmp_path / "turndb")),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            for port in (plain, tls):
                await listening(port)
        yield plain, tls
    finally:
        process.terminate()
        await process.wait()


async def make_certificate(certificate: Path, key: Path) -> None:
    """A self-signed one, whose name nobody checks."""
    arguments = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=turn", "-days", "1")
    process = await asyncio.create_subprocess_exec(
        "openssl", *arguments, "-out", certificate, "-keyout", key, stderr=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def listening(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


def relayed(port: int, way: str, *, expires_at: float, secret: str = SECRET) -> aioice.Connection:
    """A client with nothing but a relay."""
    (server,) = ice_servers([IceServer(("turn:127.0.0.1",), secret=secret)], "somebody", int(expires_at))
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    return aioice.Connection(
        ice_controlling=True,
        turn_server=("127.0.0.1", port),
        turn_username=server["username"],
        turn_password=server["credential"],
        turn_transport="udp" if way == "udp" else "tcp",
        turn_ssl=trusting if way == "tls" else False,  # type: ignore[arg-type]  # asyncio takes either
        transport_policy=aioice.TransportPolicy.RELAY,
    )


@pytest.mark.parametrize("way", ["udp", "tcp", "tls"])
async def test_a_client_reaches_the_media_port_through_the_relay(ports: tuple[int, int], way: str) -> None:
    engine = MediaEngine(
        MediaSettings(port=0, bind_addresses=("127.0.0.1",), announced_addresses=("127.0.0.1",))
    )
    await engine.start()
    try:
        transport = engine.create_router(Listener()).create_transport("send")
        offered = transport.parameters()
        client = relayed(ports[way == "tls"], way, expires_at=time.time() + HOUR)
        await client.gather_candidates()
        assert [candidate.type for candidate in client.local_candidates] == ["relay"]
        client.remote_is_lite = True
        client.remote_username = offered["iceParameters"]["usernameFragment"]
        client.remote_password = offered["iceParameters"]["password"]
        await client.add_remote_candidate(
            aioice.Candidate("1", 1, "udp", 1, "127.0.0.1", engine.port, "host")
        )
        await client.add_remote_candidate(None)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await client.connect()
        assert transport.statistics()["iceState"] == "connected"
        await client.close()
    finally:
        await engine.stop()


@pytest.mark.parametrize(
    ("secret", "lasts"), [("another secret", HOUR), (SECRET, -HOUR)], ids=["wrong", "expired"]
)
async def test_wrong_and_expired_credentials_get_no_relay(
    ports: tuple[int, int], secret: str, lasts: int
) -> None:
    client = relayed(ports[0], "udp", expires_at=time.time() + lasts, secret=secret)
    await client.gather_candidates()
    assert client.local_candidates == []
    await client.close()
