"""Fuzzes every parser of what the network brings: `python -m tests.fuzz --seconds 20`."""
