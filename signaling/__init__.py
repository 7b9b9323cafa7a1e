"""Signaling: Socket.IO in front of rooms, media and recordings, which do not know of each other.

A *connection* is one Socket.IO socket in one namespace; a *session* is one participant of one room with the media
objects that belong to him, keyed by peer id, and outlives its connection for the grace period. A *table* names every
event a client may send, with the model that parses it and the function that answers it; nothing else is reachable
from outside.

The invariant: every event of a connected client is acknowledged exactly once, with data or with a refusal, in the
order in which the events came, and a handler touches nothing but the rooms, media and tickets of its own connection.

Composition (server.py)::

    signaling = Signaling(settings, accounts=..., tokens=..., rooms=..., consultations=..., media=..., recordings=...,
                          texts=...)
    signaling.attach(app)              # routes /socket.io/ of the aiohttp application
    await signaling.start()            # after the services it was given have started
    await signaling.drain(5000)        # tells clients serverDraining, refuses new joins; clients come back by themselves
    await signaling.stop()             # closes connections, transports and routers; before the services stop
    signaling.statistics()             # counters for /metrics

Refusal codes raised here (texts in locales/*/errors.json): invalid_request, unknown_event, rate_limited,
internal_error, unauthenticated, not_joined, already_joined, not_admitted, peer_not_found, transport_not_found,
producer_not_found, consumer_not_found, wrong_direction, source_in_use, too_many_transports, too_many_producers,
too_many_consumers, media_refused, server_draining, role_may_not_produce, not_in_a_consultation.
"""

from signaling.service import Signaling, Texts
from signaling.settings import IceServer, SignalingSettings
from signaling.statistics import SignalingStatistics

__all__ = ["IceServer", "Signaling", "SignalingSettings", "SignalingStatistics", "Texts"]
