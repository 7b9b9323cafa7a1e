"""Encoders and players in a meeting: WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep) behind stream keys.

A *stream* is one device's session: a peer of the live room without Socket.IO, with one transport. A *publisher* sends
up to a camera, a microphone, a screen and its sound; a *watcher* receives one picture and one sound, which follow the
meeting (choice.py). Offers come in as SDP and become the same rtpParameters and rtpCapabilities that browsers send:
sdp.py reads, negotiation.py fits, answer.py writes.

The invariant: a stream lives exactly as long as its peer is in the live room. What ends the peer (a host's remove, a
revoked key, the meeting's end) closes the stream's media in the same turn; what ends the stream makes the peer leave.
"""
