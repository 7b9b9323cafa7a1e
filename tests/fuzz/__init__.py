"""Fuzzes the plane's packet entry under AddressSanitizer: `python -m tests.fuzz --seconds 20`."""
