"""What each codec's units say: key frames, sizes, parameters; and how they stand in Matroska.

Total on any bytes: what cannot be read raises Malformed. Pure: no I/O, no clock. One file a codec; `registry` finds
them by name. How units travel in RTP is known to `media.plane` alone.
"""
