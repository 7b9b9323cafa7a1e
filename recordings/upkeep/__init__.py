"""Upkeep of recordings: how long they are kept, how much room they have, who may delete them, and what says so.

The words: **rules** say for an organization, and for all below it that say nothing themselves, how many days recordings
of each kind are kept and how many bytes there are; a **hold** keeps anybody, the rules too, from deleting a recording;
a **deletion** is the entry that stays: who deleted what, when and why.

Invariants: nothing is deleted before the rule says and before its officers have had `retention.NOTICE` to see it
coming; nothing that is held; nothing without its entry, written in the same transaction. A full quota never loses a
meeting: what was scheduled to be recorded is, and only new meetings are refused a recording.
"""
