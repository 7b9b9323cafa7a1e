"""Stream keys: what lets an encoder send into a meeting, or a player watch it, without a person who is signed in.

A *stream key* is made by a host for one meeting, for publishing or for watching, under the name by which everybody
sees the device. Its *secret* is shown once and kept only as its SHA-256; 192 random bits need no slower hash.

The invariant: a key opens one meeting, while that meeting is not over and nobody has revoked the key.
"""

from rooms.stream_keys.service import StreamKeys
from rooms.stream_keys.views import Device, NewStreamKey, StreamKeyView, StreamUse

__all__ = ["Device", "NewStreamKey", "StreamKeyView", "StreamKeys", "StreamUse"]
