"""What hostile and clumsy clients send, over a real WebSocket: always an answer, never a lost connection."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import hypothesis
import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from errors import Kind, Problem
from localization import ErrorTexts
from signaling.connection import Connection
from signaling.messages import ChatText, Message, Nothing
from signaling.namespace import Entry, TableNamespace
from signaling.settings import SignalingSettings
from signaling.socket_server import SocketServer
from signaling.statistics import Counters
from tests.patience import PATIENCE_SECONDS
from tests.signaling.raw import RawClient, raw_client, until

SPACE = "/echo"


class Say(Message):
    text: ChatText


class Echo(TableNamespace[str]):
    """Says back what it hears, to the one who said it; knows whoever has the token "known"."""

    name = SPACE

    def __init__(self, counters: Counters) -> None:
        table = {
            "say": Entry(Say, self.say),
            "fail": Entry(Nothing, self.fail),
            "confuse": Entry(Nothing, self.confuse),
            "refuse": Entry(Nothing, self.refuse_politely),
            "wait": Entry(Nothing, self.wait),
            "shout": Entry(Nothing, self.shout, cost=10),
        }
        super().__init__(table, counters, ErrorTexts.load())
        self.gone: list[str] = []
        self.heard: list[str] = []
        self.go_on = asyncio.Event()

    async def say(self, connection: Connection[str], message: Say) -> Mapping[str, Any]:
        self.heard.append(message.text)
        return {"text": message.text, "by": connection.identity}

    async def fail(self, _connection: Connection[str], _message: Nothing) -> Mapping[str, Any]:
        raise ZeroDivisionError("a secret of ours")

    async def confuse(self, _connection: Connection[str], _message: Nothing) -> Mapping[str, Any]:
        return {"not": {"json"}}

    async def refuse_politely(self, _connection: Connection[str], _message: Nothing) -> Mapping[str, Any]:
        raise Problem(Kind.CONFLICT, "room_locked", {"why": "so"})

    async def wait(self, _connection: Connection[str], _message: Nothing) -> Mapping[str, Any]:
        await self.go_on.wait()
        self.heard.append("waited")
        return {}

    async def shout(self, _connection: Connection[str], _message: Nothing) -> Mapping[str, Any]:
        return {}

    async def _identify(self, request: web.Request, token: str | None) -> str | None:
        if token == "explode":
            raise ZeroDivisionError("a secret of ours")
        if token == "slow":
            await self.go_on.wait()
            return token
        return token if token == "known" else request.cookies.get("known")

    async def _gone(self, connection: Connection[str]) -> None:
        self.gone.append(connection.identity)


class Stand:
    """A server with the echo namespace, and a clock for its buckets that tests own."""

    def __init__(self, settings: SignalingSettings) -> None:
        self.now = 0.0
        self.counters = Counters()
        self.echo = Echo(self.counters)
        self.server = SocketServer(settings, self.counters, {SPACE: self.echo}, lambda: self.now)
        app = web.Application()
        self.server.attach(app)  # type: ignore[no-untyped-call]
        self.http = TestServer(app)

    @property
    def url(self) -> str:
        return str(self.http.make_url("")).rstrip("/")


@pytest.fixture
def settings() -> SignalingSettings:
    return SignalingSettings(event_burst=100, events_per_second=10, max_refused_in_a_row=50, ping_timeout=2)


@pytest.fixture
async def stand(settings: SignalingSettings) -> AsyncIterator[Stand]:
    stand = Stand(settings)
    await stand.http.start_server()
    yield stand
    await stand.server.stop()
    await stand.http.close()


@pytest.fixture
async def client(stand: Stand) -> AsyncIterator[RawClient]:
    async with raw_client(stand.url) as client:
        assert (await client.connect(SPACE, {"token": "known"})).startswith('0/echo,{"sid"')
        yield client


async def is_alive(client: RawClient) -> bool:
    return bool((await client.call(SPACE, "say", {"text": "hello"}))["ok"])


async def test_an_event_is_answered_with_data(client: RawClient) -> None:
    answer = await client.call(SPACE, "say", {"text": "  大家好 "})
    assert answer == {"ok": True, "data": {"text": "大家好", "by": "known"}}


@pytest.mark.parametrize("name", ["connect", "disconnect", "message", "on_say", "_gone", "*", "", "__init__"])
async def test_events_named_like_our_own_handlers_are_unknown_events(
    client: RawClient, stand: Stand, name: str
) -> None:
    answer = await client.call(SPACE, name, {"token": "known"})
    assert answer["error"]["code"] == "invalid_request"
    assert stand.echo.gone == []
    assert await is_alive(client)


MALFORMED = [
    "{}", '"say"', "[]", "[null]", "[1]", '[["say"]]', '["say"]', '["say",null]', '["say",[]]', '["say",{},{}]',
    '["say",{"text":1}]', '["say",{"text":"a","more":1}]', '["say",{"text":"\\ud800"}]', '["say",{"text":NaN}]',
    '["say",', "[" * 5000, '["say",' + "[" * 500 + "]" * 500 + "]", '["say",{"text":' + "1" * 5000 + "}]",
    '["say",{"text":"' + "x" * 70_000 + '"}]', "]", "\x00", '{"say":1}',
]  # fmt: skip


@pytest.mark.parametrize("text", MALFORMED, ids=range(len(MALFORMED)))
async def test_a_malformed_event_is_refused_and_the_connection_lives(client: RawClient, text: str) -> None:
    answer = await client.call_text(SPACE, text)
    assert (answer["ok"], answer["error"]["code"]) == (False, "invalid_request")
    assert await is_alive(client)


async def test_a_refusal_names_the_field_and_speaks_the_clients_language(stand: Stand) -> None:
    for locale in ("zh-CN", "en"):
        async with raw_client(stand.url) as client:
            await client.connect(SPACE, {"token": "known", "locale": locale})
            error = (await client.call(SPACE, "say", {"text": 1}))["error"]
            assert error["details"]["fields"][0]["field"] == "text"
            assert error["message"] == ErrorTexts.load().text("invalid_request", locale)


async def test_a_rule_of_ours_that_refuses_answers_with_its_code_and_details(client: RawClient) -> None:
    error = (await client.call(SPACE, "refuse", {}))["error"]
    assert (error["code"], error["details"]) == ("room_locked", {"why": "so"})


async def test_our_own_mistake_is_answered_and_logged_under_one_number(client: RawClient) -> None:
    with capture_logs() as logs:
        error = (await client.call(SPACE, "fail"))["error"]
    [entry] = [entry for entry in logs if entry["event"] == "event_failed"]
    assert error["code"] == "internal_error"
    assert entry["request_id"] == error["details"]["requestId"]
    assert "secret" not in json.dumps(error)
    assert await is_alive(client)


async def test_an_answer_of_ours_that_is_no_json_is_our_mistake_and_still_an_answer(
    client: RawClient,
) -> None:
    with capture_logs() as logs:
        error = (await client.call(SPACE, "confuse"))["error"]
    assert error["code"] == "internal_error"
    assert [entry["event"] for entry in logs] == ["answer_not_json"]
    assert await is_alive(client)


PACKETS = ["", "7", "9x", "x", "6/echo,1[]", "51-/echo,9[]", "3/echo,1[]", "3", "4/echo,{}", "2", "2/nowhere,1[]",
           "2/echo", "20", "0/nowhere,", "0/echo,", "0/echo,{", "1/nowhere,", "2/echo,99999999999999999999[]",
           "52-/echo,77" + '["say",{"_placeholder":true,"num":0}]']  # fmt: skip


@pytest.mark.parametrize("packet", PACKETS)
async def test_packets_that_are_not_events_leave_the_connection_alive(client: RawClient, packet: str) -> None:
    await client.send(packet)
    assert await is_alive(client)


@pytest.mark.parametrize(
    "frame", ["", "z", "8", "2", "6", "4", "4x", "4{" * 3000, "b", "bAAAA", "3" * 200, "²"]
)
async def test_frames_that_are_not_engine_io_leave_the_connection_alive(
    client: RawClient, frame: str
) -> None:
    await client.socket.send_str(frame)
    assert await is_alive(client)


async def test_binary_is_dropped_and_counted(client: RawClient, stand: Stand) -> None:
    await client.send('59999999999-/echo,77["say",{"_placeholder":true,"num":0}]')
    for _ in range(5):
        await client.socket.send_bytes(b"\x00" * 1000)
    assert await is_alive(client)
    assert stand.counters.dropped["binary_packet"] == 5


async def test_one_clients_events_never_overtake_each_other(client: RawClient, stand: Stand) -> None:
    await client.send('2/echo,["wait",{}]')
    await client.send('2/echo,["say",{"text":"second"}]')
    await asyncio.sleep(0)
    stand.echo.go_on.set()
    await is_alive(client)
    assert stand.echo.heard == ["waited", "second", "hello"]


async def test_a_flood_is_refused_and_a_pause_heals_it(client: RawClient, stand: Stand) -> None:
    answers = [await client.call(SPACE, "say", {"text": "x"}) for _ in range(100)]
    refused = [answer for answer in answers if not answer["ok"]]
    assert {answer["error"]["code"] for answer in refused} == {"rate_limited"}
    assert 0 < refused[0]["error"]["details"]["retryAfter"] <= 0.2
    stand.now += 1.0
    assert await is_alive(client)


async def test_what_everybody_hears_of_is_dearer(client: RawClient, stand: Stand) -> None:
    answers = [await client.call(SPACE, "shout") for _ in range(10)]
    assert [answer["ok"] for answer in answers] == [True] * 7 + [False] * 3, "a connection has paid 20 before"
    assert answers[-1]["error"]["code"] == "rate_limited"
    assert stand.counters.events[SPACE, "shout"] == 7


async def test_who_floods_on_while_refused_is_cut(client: RawClient, stand: Stand) -> None:
    async def flood() -> None:
        for _ in range(200):
            await client.call(SPACE, "say", {"text": "x"})

    with capture_logs() as logs, pytest.raises(ConnectionError):
        await flood()
    assert stand.counters.dropped["flood"] == 1
    assert [entry["reason"] for entry in logs if entry["event"] == "connection_cut"] == ["flood"]
    assert stand.echo.gone == ["known"]


async def test_opening_the_namespace_over_and_over_is_bounded_too(stand: Stand) -> None:
    async with raw_client(stand.url) as client:
        for _ in range(40):
            await client.send('0/echo,{"token":"wrong"}')
        refused = [await client.receive() for _ in range(4)]
        assert all(packet.startswith("4/echo,") for packet in refused)
        await until(lambda: stand.counters.dropped["flood"] == 36)
        stand.now += 10
        assert (await client.connect(SPACE, {"token": "known"})).startswith("0/echo,")
        assert stand.counters.refusals["unauthenticated"] < 10


@pytest.mark.parametrize(
    "auth", [None, {}, [], 1, "x", {"token": None}, {"token": 1}, {"token": ""}, {"token": "x"}]
)
async def test_nobody_gets_in_without_a_credential_and_is_told_why(stand: Stand, auth: Any) -> None:
    async with raw_client(stand.url) as client:
        packet = await client.connect(SPACE, auth)
        assert packet.startswith("4/echo,")
        assert json.loads(packet.removeprefix("4/echo,"))["data"]["code"] == "unauthenticated"


async def test_a_cookie_is_a_credential(stand: Stand) -> None:
    async with raw_client(stand.url, headers={"Cookie": "known=by-cookie"}) as client:
        await client.connect(SPACE)
        assert (await client.call(SPACE, "say", {"text": "x"}))["data"]["by"] == "by-cookie"


async def test_a_mistake_of_ours_while_connecting_is_a_refusal_with_a_log_entry(stand: Stand) -> None:
    async with raw_client(stand.url) as client:
        with capture_logs() as logs:
            packet = await client.connect(SPACE, {"token": "explode"})
        assert '"internal_error"' in packet
        assert "secret" not in packet
        assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["event_failed"]


async def test_a_page_of_another_site_cannot_connect(stand: Stand) -> None:
    async with ClientSession() as http:
        for origin, status in (("https://evil.example", 400), (stand.url, 200)):
            url = f"{stand.url}/socket.io/?EIO=4&transport=polling"
            async with http.get(url, headers={"Origin": origin}) as response:
                assert response.status == status


async def test_long_polling_carries_more_packets_at_once_than_the_library_allows(stand: Stand) -> None:
    async with ClientSession() as http:
        url = f"{stand.url}/socket.io/?EIO=4&transport=polling"
        async with http.get(url) as response:
            sid = json.loads((await response.text())[1:])["sid"]
        packets = ['40/echo,{"token":"known"}', *(f'42/echo,{n}["say",{{"text":"{n}"}}]' for n in range(60))]
        async with http.post(f"{url}&sid={sid}", data="\x1e".join(packets)) as response:
            assert response.status == 200
        async with http.get(f"{url}&sid={sid}") as response:
            answers = (await response.text()).split("\x1e")
    assert sum(answer.startswith("43/echo,") for answer in answers) == 60


async def test_requests_of_long_polling_do_not_overtake_each_other(stand: Stand) -> None:
    """Two joins side by side would make two peers of one connection, one of whom nobody would ever miss."""
    async with polling_client(stand) as (http, url):
        async with http.post(url, data='40/echo,{"token":"known"}') as response:
            assert response.status == 200
        first = asyncio.create_task(http.post(url, data='42/echo,1["wait",{}]'))
        await until(lambda: stand.counters.events[SPACE, "wait"] == 1)
        second = asyncio.create_task(http.post(url, data='42/echo,2["say",{"text":"second"}]'))
        async with http.get(url) as response:  # the answer to the connection: the second request is under way
            assert "40/echo," in await response.text()
        assert stand.echo.heard == []
        stand.echo.go_on.set()
        for request in (first, second):
            (await request).close()
        assert stand.echo.heard == ["waited", "second"]


async def test_a_connection_that_is_lost_while_it_is_being_let_in_is_not_kept(stand: Stand) -> None:
    async with polling_client(stand) as (http, url):
        coming = asyncio.create_task(http.post(url, data='40/echo,{"token":"slow"}'))
        await until(lambda: bool(stand.server.manager.pending_connect))
        async with http.post(url, data="1"):
            pass
        stand.echo.go_on.set()
        (await coming).close()
        assert stand.echo.sids() == []
        assert stand.echo.gone == ["slow"]
        assert stand.server.connected(SPACE) == 0


async def test_a_connection_that_is_lost_while_it_is_being_answered_is_parted_with_afterwards(
    stand: Stand,
) -> None:
    async with polling_client(stand) as (http, url):
        async with http.post(url, data='40/echo,{"token":"known"}'):
            pass
        asked = asyncio.create_task(http.post(url, data='42/echo,1["wait",{}]'))
        await until(lambda: stand.counters.events[SPACE, "wait"] == 1)
        async with http.post(url, data="1"):
            pass
        assert stand.echo.gone == ["known"]
        stand.echo.go_on.set()
        (await asked).close()
        assert stand.echo.gone == ["known", "known"], (
            "whatever the handler noted of it in the meantime goes too"
        )


async def test_nonsense_by_long_polling_is_counted_not_raised(stand: Stand) -> None:
    async with ClientSession() as http:
        url = f"{stand.url}/socket.io/?EIO=4&transport=polling"
        async with http.get(url) as response:
            sid = json.loads((await response.text())[1:])["sid"]
        with capture_logs() as logs:
            for body in (b"zzz", b"\xff\xfe", b"4{" * 3000, b"d=", b"b!"):
                async with http.post(f"{url}&sid={sid}", data=body) as response:
                    assert response.status == 200
    assert [entry for entry in logs if entry["log_level"] == "error"] == []
    assert sum(stand.counters.dropped.values()) == 5


@pytest.mark.parametrize("settings", [SignalingSettings(ping_timeout=10 * PATIENCE_SECONDS)])
async def test_a_client_that_does_not_read_is_cut_and_others_are_not_held_up(
    stand: Stand, client: RawClient, settings: SignalingSettings
) -> None:
    """The slow one's system takes some megabytes, then its queue fills, then it is cut; no `post` ever waits."""
    assert settings.ping_timeout > PATIENCE_SECONDS
    async with raw_client(stand.url) as slow:
        await slow.connect(SPACE, {"token": "known"})
        slow.socket._response.connection.transport.pause_reading()  # type: ignore[union-attr]
        slow_sid = stand.echo.sids()[-1]
        with capture_logs():
            async with asyncio.timeout(PATIENCE_SECONDS):
                while slow_sid in stand.echo.sids():
                    stand.server.post(SPACE, [slow_sid], "news", {"text": "x" * 50_000})
                    await asyncio.sleep(0)
        assert stand.counters.dropped["slow_client"] >= 1
        assert await is_alive(client)


@pytest.mark.parametrize("compress", [0, 15])
async def test_what_is_posted_arrives_in_order_whether_it_was_written_in_place_or_had_to_wait(
    stand: Stand, compress: int
) -> None:
    """Short and long ones, one at a time and many at once, to one who reads late, with and without compression."""
    dice = random.Random(3)  # noqa: S311 - sizes, not secrets
    async with raw_client(stand.url, compress=compress) as client:
        await client.connect(SPACE, {"token": "known"})
        sid = stand.echo.sids()[-1]
        client.socket._response.connection.transport.pause_reading()  # type: ignore[union-attr]
        for number in range(400):
            text = "x" * dice.choice((10, 10, 10, 5_000, 40_000))
            stand.server.post(SPACE, [sid], "news", {"number": number, "text": text})
            if dice.random() < 0.3:
                await asyncio.sleep(0)
        client.socket._response.connection.transport.resume_reading()  # type: ignore[union-attr]
        got = [json.loads((await client.receive()).partition(",")[2])[1]["number"] for _ in range(400)]
    assert got == list(range(400))


@pytest.mark.parametrize("settings", [SignalingSettings(anonymous_seconds=1)])
async def test_who_never_says_who_he_is_is_not_kept(stand: Stand, settings: SignalingSettings) -> None:
    assert settings.anonymous_seconds < PATIENCE_SECONDS
    async with raw_client(stand.url) as known, raw_client(stand.url) as unknown:
        await known.connect(SPACE, {"token": "known"})
        await unknown.connect(SPACE, {"token": "wrong"})
        with capture_logs(), pytest.raises(ConnectionError):
            await unknown.receive()
        assert await is_alive(known)
    assert stand.counters.dropped["anonymous"] == 1


@pytest.mark.parametrize("settings", [SignalingSettings(ping_timeout=0.3)])
async def test_a_client_that_reads_nothing_for_the_patience_is_cut_however_little_waits_for_it(
    stand: Stand, settings: SignalingSettings
) -> None:
    async with raw_client(stand.url) as slow:
        await slow.connect(SPACE, {"token": "known"})
        slow.socket._response.connection.transport.pause_reading()  # type: ignore[union-attr]
        [slow_sid] = stand.echo.sids()
        assert settings.max_unsent_messages > 200
        with capture_logs():
            for _ in range(200):
                stand.server.post(SPACE, [slow_sid], "news", {"text": "x" * 100_000})
            await until(lambda: not stand.echo.sids())
    assert stand.counters.dropped["slow_client"] == 1


@asynccontextmanager
async def polling_client(stand: Stand) -> AsyncIterator[tuple[ClientSession, str]]:
    """A session of long polling, and the address of its requests."""
    async with ClientSession() as http:
        url = f"{stand.url}/socket.io/?EIO=4&transport=polling"
        async with http.get(url) as response:
            sid = json.loads((await response.text())[1:])["sid"]
        yield http, f"{url}&sid={sid}"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
# A number would be read as digits of the acknowledgement's id, which is Socket.IO's own affair.
EVENTS = JSON.filter(lambda data: not isinstance(data, int | float)) | st.builds(lambda x: ["say", x], JSON)


async def test_whatever_json_comes_there_is_an_answer(stand: Stand) -> None:
    loop = asyncio.get_running_loop()
    async with raw_client(stand.url) as client:
        await client.connect(SPACE, {"token": "known"})

        @hypothesis.settings(max_examples=150, deadline=None)
        @given(data=EVENTS)
        def ask(data: Any) -> None:
            stand.now += 10
            answer = asyncio.run_coroutine_threadsafe(
                client.call_text(SPACE, json.dumps(data)), loop
            ).result()
            assert answer["ok"] or answer["error"]["code"] == "invalid_request"

        await asyncio.to_thread(ask)


async def test_a_browsers_offer_to_compress_is_not_taken(stand: Stand) -> None:
    async with raw_client(stand.url, compress=15) as client:
        assert client.socket.compress == 0
        assert (await client.connect(SPACE, {"token": "known"})).startswith(f"0{SPACE}")
