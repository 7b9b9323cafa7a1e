"""Capture: RTP as it arrives, written to one Matroska file a track, nothing decoded.

A packet's way: `thread` drains the tap four times a second; media's depacketizer puts packets in order, names what is
lost and makes frames of them, natively; a reader of `codecs` finds key frames, sizes and parameters; `gate` lets
pictures through from a key frame on; `matroska` writes; `syncing` gives the files to the disk itself, which is how a
disk that fails is noticed. Beside the files a `journal` keeps what the pictures and sounds do not say: whose track it
is, pauses, and the sender reports from which composition computes the one time line of all tracks. Capture does no
arithmetic on times but unwrapping, so that nothing it writes can be wrong about them.

Invariant: whatever arrives, memory is bounded and what was accepted is on the disk within a second.
"""
