"""The connection test: a person's own media, sent to the server and back, so that he sees what gets through.

An *echo* is a router for one connection: nobody else can consume there. The invariant: an echo lives no longer than its
connection and its time, and there are never more of them than the settings allow, in all and from one address.
"""
