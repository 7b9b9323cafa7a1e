"""Viewing: what of a recording a member has really watched.

The player's reports are not believed but counted against the clock on the wall: whatever they say, no more is credited
than could have been watched since the last one at the rate they name, at most twice the pace. One account a member
and recording, on whatever devices: two tabs share its time, and so do two recordings (`span`). `coverage` holds the
rules, pure; `service` keeps the account, and lets attendance and card know once enough has been watched.

Invariant: the seconds credited in any stretch of time are at most twice that stretch and a little leeway.
"""
