"""Consultations (服务面对面): stations, services, experts on duty, the queue, the talk, the outcome and the stars.

Words: a *ticket* is a consultation that waits; its *number* counts per service and day; a ticket that an expert called
and lost goes back to the *head* of its queue. `queue` holds the rules, pure.

Invariant: a consultation has an expert exactly in the states called, active and ended, and an expert has at most one
that is called or active.
"""
