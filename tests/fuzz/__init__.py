"""Fuzzes every parser of what the network brings, the plane under AddressSanitizer: `python -m tests.fuzz --seconds 20`."""
