"""The namespace `/rooms`: one participant's way through a live room and the media plane.

A *hall* is a live room's media side: its router, who produces what in it, and its recorder. A *session* is a
participant's media in the hall and the connection he has at the moment, if any.
"""
