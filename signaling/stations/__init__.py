"""The namespace `/stations`: queues for residents, desks for experts.

A *desk* is an expert's connection, a *waiting place* a resident's; both watch consultations and are told what changes.
"""
