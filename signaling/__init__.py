"""Signaling: Socket.IO in front of rooms, media and recordings, which do not know of each other.

A *connection* is one Socket.IO socket in one namespace; a *session* is one participant of one room with the media
objects that belong to him, keyed by peer id, and outlives its connection for the grace period. A *table* names every
event a client may send, with the model that parses it and the function that answers it; nothing else is reachable
from outside.

The invariant: every event of a connected client is acknowledged exactly once, with data or with a refusal, in the
order in which the events came, and a handler touches nothing but the rooms, media and tickets of its own connection.

Composition (server.py)::

    signaling = Signaling(settings, accounts=..., tokens=..., rooms=..., consultations=..., stations=..., media=...,
                          recordings=..., texts=ErrorTexts)
    signaling.attach(app)              # the route /socket.io/ of the aiohttp application
    await signaling.start()            # after media.start(), before rooms.start()
    await signaling.drain(5000)        # tells clients serverDraining, lets nobody new in
    await signaling.stop()             # cuts connections, closes media; before rooms, recordings, media stop
    signaling.statistics()             # counters for /metrics

Refusal codes raised here (texts in locales/*/errors.json): invalid_request, rate_limited, internal_error,
unauthenticated, forbidden, not_joined, already_joined, not_admitted, removed, meeting_ended, transport_not_found,
producer_not_found, consumer_not_found, source_in_use, too_many_transports, too_many_producers, too_many_consumers,
server_draining, too_many_tests, test_begun, test_not_begun; and media's (media/errors.py) of the classes
UnknownMedia, WrongMediaState and MediaLimitReached.
"""

from signaling.service import Signaling
from signaling.settings import IceServer, SignalingSettings
from signaling.statistics import SignalingStatistics

__all__ = ["IceServer", "Signaling", "SignalingSettings", "SignalingStatistics"]
