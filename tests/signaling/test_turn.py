"""Our TURN credentials at Debian's coturn, over UDP, TCP and TLS, and through it to the media port."""

import asyncio
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import aioice
import pytest

from media import MediaEngine, MediaSettings
from signaling.ice_servers import IceServers
from signaling.settings import IceServer
from tests.coturn import COTURN, SECRET, running_coturn
from tests.media.peers import Listener
from tests.patience import PATIENCE_SECONDS

HOUR = 3600

pytestmark = pytest.mark.skipif(not COTURN.exists(), reason="coturn is not installed")


@pytest.fixture
def ports(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """A coturn of our own: its plain and its TLS port."""
    with running_coturn(tmp_path) as coturn:
        yield coturn.port, coturn.tls_port


def relayed(port: int, way: str, *, lasts: float, secret: str = SECRET) -> aioice.Connection:
    """A client with nothing but a relay."""
    turn = IceServer(("turn:127.0.0.1",), secret=secret)
    (server,) = IceServers([turn], lasts, time.time).of("somebody")
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
        client = relayed(ports[way == "tls"], way, lasts=HOUR)
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
    client = relayed(ports[0], "udp", lasts=lasts, secret=secret)
    await client.gather_candidates()
    assert client.local_candidates == []
    await client.close()
