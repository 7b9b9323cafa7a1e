"""Attendance: who was there, how long, and what follows from it.

`rules` is interval arithmetic and the judgement, pure. `records` keeps measured intervals and writes results to the
members' cards inside the transaction that ends the meeting. `service.Attendance` lists, corrects and makes up.

Invariant: the measured values are never changed after the end; a correction stands beside them with its reason.
"""
