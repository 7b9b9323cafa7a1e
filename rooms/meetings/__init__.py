"""Meetings: what is scheduled, who is invited and in which role, leave, start and end.

Words: *invitations* are made from the organization's members by the meeting's kind (kinds.py) when it is scheduled,
kept up to date with the members until it starts, and fixed then; *expected* are the invited with a duty to come (hosts
and participants, not observers). *Leave* is asked by the invited and granted by those who manage the meeting.

Invariant: a meeting goes scheduled -> live -> ended, or scheduled -> cancelled, and never back.
"""
