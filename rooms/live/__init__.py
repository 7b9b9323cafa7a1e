"""Live rooms: who is in a room at this moment, and what they may do to each other.

`room.LiveRoom` is a pure aggregate: commands (commands.py) go in one at a time with the time they arrived, events
(events.py) come out, nothing else changes it. `service.LiveRooms` is its edge: it decides who may enter, keeps
presence in the database, runs the clocks and tells the listeners.

Words: a *person* is somebody with one presence, on however many devices; a *peer* is one device of a person in one
room; a *connection* is one Socket.IO connection of a peer, numbered from 1, so that news of an old one can be told
apart. A peer whose connection is lost has a grace period in which its resume token brings it back as the same peer.
An *occasion* is what a room is for: a meeting or a consultation; the room's id is the occasion's id.

Invariant: nobody is admitted who was removed, and a person has an open presence exactly while one of the person's
admitted peers is connected or within its grace period.
"""
