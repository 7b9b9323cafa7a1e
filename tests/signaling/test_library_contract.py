"""The private names of python-socketio and python-engineio that signaling/socket_server.py stands on.

When one of these fails after an update of the libraries, read the new source before changing the version's pin.
"""

import inspect

import engineio
import pytest
import socketio
from engineio.async_drivers import aiohttp as driver
from engineio.async_socket import AsyncSocket
from engineio.payload import Payload

OVERRIDDEN = ["_handle_eio_connect", "_handle_eio_disconnect", "_handle_eio_message"]
CALLED = ["_handle_connect", "_handle_disconnect", "_trigger_event", "disconnect", "shutdown", "attach", "on"]


@pytest.mark.parametrize("name", [*OVERRIDDEN, *CALLED])
def test_the_server_has_what_we_override_and_call(name: str) -> None:
    assert callable(getattr(socketio.AsyncServer, name))


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("_handle_eio_connect", ["self", "eio_sid", "environ"]),
        ("_handle_eio_disconnect", ["self", "eio_sid", "reason"]),
        ("_handle_eio_message", ["self", "eio_sid", "data"]),
        ("_handle_connect", ["self", "eio_sid", "namespace", "data"]),
        ("_handle_disconnect", ["self", "eio_sid", "namespace", "reason"]),
    ],
)
def test_they_take_what_they_took(method: str, parameters: list[str]) -> None:
    assert list(inspect.signature(getattr(socketio.AsyncServer, method)).parameters) == parameters


def test_the_websocket_driver_is_found_where_we_put_ours() -> None:
    server = engineio.AsyncServer(async_mode="aiohttp")
    assert (server._async or {})["websocket"] is driver.WebSocket
    assert "self.server._async['websocket']" in inspect.getsource(AsyncSocket._upgrade_websocket)
    assert list(inspect.signature(driver.WebSocket).parameters) == ["handler", "server"]
    assert {"wait", "send", "close", "__call__"} <= vars(driver.WebSocket).keys()


def test_a_socket_has_the_queue_and_the_states_we_read() -> None:
    server = engineio.AsyncServer(async_mode="aiohttp")
    socket = AsyncSocket(server, "sid")
    assert (socket.closed, socket.closing, socket.queue.qsize()) == (False, False, 0)
    assert (socket.upgraded, socket.upgrading, socket.queue._unfinished_tasks) == (False, False, 0)
    assert "self.queue.task_done()" in inspect.getsource(AsyncSocket.poll)
    assert Payload.max_decode_packets >= 16


def test_an_upgrade_asks_the_websocket_and_says_that_it_is_under_way() -> None:
    socket = AsyncSocket(engineio.AsyncServer(async_mode="aiohttp"), "sid")
    assert socket.connected is False
    upgrade = inspect.getsource(AsyncSocket._websocket_handler)
    assert upgrade.index("if self.connected:") < upgrade.index("self.upgrading = True")
    assert upgrade.index("self.upgrading = True") < upgrade.index("await websocket_wait()")
    assert "self._websocket_handler, self.server)" in inspect.getsource(AsyncSocket._upgrade_websocket)


def test_the_manager_translates_between_the_two_kinds_of_ids() -> None:
    manager = socketio.AsyncServer(async_mode="aiohttp").manager
    assert manager.sid_from_eio_sid("nobody", "/rooms") is None
    assert manager.eio_sid_from_sid("nobody", "/rooms") is None
    assert manager.is_connected(None, "/rooms") is False
