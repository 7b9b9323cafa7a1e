"""What hostile and clumsy clients send, over a real WebSocket: always an answer, never a lost connection."""

import asyncio
import json
from typing import Any

import hypothesis
import pytest
from aiohttp import ClientSession
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from localization import ErrorTexts
from tests.signaling.echo import SPACE, Stand, is_alive
from tests.signaling.raw import RawClient, raw_client


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
