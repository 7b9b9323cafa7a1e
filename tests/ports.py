"""A port for a program that must be told which: nobody else is given it before that program listens there."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reserved_port() -> Iterator[int]:
    """A TCP port of the loopback, for as long as the block lasts.

    It is bound and nobody listens. So Linux gives it to none who asks for any port, refuses whoever connects, and lets
    a program listen there that sets SO_REUSEADDR as servers do, once and again.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield int(holder.getsockname()[1])
