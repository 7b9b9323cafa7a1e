"""Spatial layers of VP9: what is captured of them becomes a film of the largest."""

from pathlib import Path

from recordings.tracks import TrackSource
from tests.recordings.meetings import Meeting, composed, track, watch
from tests.recordings.publishers import GREEN, RED, Publisher, encode_video, solid

SECONDS = 1.0
FPS = 25
SMALL, LARGE = (160, 90), (640, 360)


def layered() -> list[tuple[float, list[bytes]]]:
    """(second, RTP payloads): a small green layer under a large red one, each frame to be decoded by itself.

    Real encoders predict the upper layer from the lower; the decoder gives both all the same, one after the other.
    """
    every = frozenset(range(round(SECONDS * FPS)))
    lower = encode_video(solid(GREEN), SECONDS, "vp9", SMALL, FPS, every)
    upper = encode_video(solid(RED), SECONDS, "vp9", LARGE, FPS, every)
    structure = bytes([0x30]) + b"".join(side.to_bytes(2, "big") for size in (SMALL, LARGE) for side in size)
    pictures = []
    for number, ((small, _), (large, _)) in enumerate(zip(lower, upper, strict=True)):
        picture = (0x8000 | number).to_bytes(2, "big")  # a picture id of 15 bits
        payloads = [
            bytes([0xAE])
            + picture
            + bytes([0x00, 0x00])
            + structure
            + small,  # begins, ends, with the structure
            bytes([0xAC]) + picture + bytes([0x02, 0x00]) + large,  # spatial layer 1
        ]
        pictures.append((number / FPS, payloads))
    return pictures


def test_a_film_of_layers_shows_the_largest(tmp_path: Path) -> None:
    meeting = Meeting(tmp_path)
    video = Publisher().stream("vp9", layered())
    meeting.join((track(video, "p0", TrackSource.CAMERA), video))
    meeting.run()
    meeting.end()
    (captured,) = meeting.segment_folder.glob("*.mkv")
    # PixelWidth and PixelHeight (RFC 9559, 5.1.4.1.28): FFmpeg would answer the size of what it decodes first.
    assert bytes.fromhex("b0 82 0280 ba 82 0168") in captured.read_bytes()[:500]
    watched = watch(composed(tmp_path)[1])
    for at in (0.2, 0.5, 0.8):
        assert watched.share(RED, at) > 0.3
        assert watched.share(GREEN, at) == 0
