"""The native data plane: every media packet goes through it, none through Python.

Words: a *transport* is one client's DTLS association behind one or more addresses; a *producer* is a track that a
client sends through its transport, in one or more *encodings*; a *consumer* is the copy of a producer that goes to one
subscriber; a *tap* is a consumer that hands its packets to Python (the recorder). All four are named by handles.

`Core` is the whole packet logic without sockets, threads or clock: datagrams and a time in, datagrams out. `Plane` is a
`Core` on a thread of its own with UDP sockets and TCP connections (an address like any other). Control calls are made
on one Python thread; they check their arguments, allocate, and hand the result to the plane thread through a bounded
command ring, which it empties between two batches.

Invariant: nothing goes from or to a transport that is not admitted, and nothing but STUN is taken from an address
that no transport knows.
"""

from media.plane.native import DROP_REASONS, Core, Depacketizer, Exchange, Plane, host_and_port, is_tcp
from media.plane.types import (
    Address,
    ConsumerStatistics,
    Datagram,
    Encoding,
    Event,
    EventKind,
    Handle,
    PlaneBusyError,
    PlaneStatistics,
    ProducerStatistics,
    Profile,
    Reception,
    RtpFrame,
    SenderReport,
    StaleHandleError,
    TapBatch,
    TransportStatistics,
)

__all__ = [
    "DROP_REASONS",
    "Address",
    "ConsumerStatistics",
    "Core",
    "Datagram",
    "Depacketizer",
    "Encoding",
    "Event",
    "EventKind",
    "Exchange",
    "Handle",
    "Plane",
    "PlaneBusyError",
    "PlaneStatistics",
    "ProducerStatistics",
    "Profile",
    "Reception",
    "RtpFrame",
    "SenderReport",
    "StaleHandleError",
    "TapBatch",
    "TransportStatistics",
    "host_and_port",
    "is_tcp",
]
