"""Depayloaders: RTP payloads in, frames out. Total on any bytes: what cannot be read is counted and dropped.

Pure: no I/O, no clock. One file a codec; `registry` finds them by name.
"""
