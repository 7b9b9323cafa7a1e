"""HTTP Live Streaming (RFC 8216) of a finished film: three sizes between which a player changes as its line allows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from recordings.compose.film import Reel, Size, join

MASTER_NAME: Final = "master.m3u8"
# Three key frames; short enough to change the size in time, long enough to cost few requests.
_SEGMENT_SECONDS: Final = 6
# avc1: main profile, level 3.1; mp4a: AAC-LC.
_CODECS: Final = "avc1.4d401f,mp4a.40.2"
_SOUND_BITS: Final = 100_000


def package(reels: Mapping[Size, Reel], folder: Path) -> None:
    """Write fragmented MP4 and playlists into a new folder, flat: a player asks for every name beside the master's."""
    folder.mkdir(exist_ok=True)
    for size, reel in reels.items():
        join(reel, folder / f"{size.name}.m3u8", "hls", _options(size, folder), ())
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for size in sorted(reels, key=lambda size: size.bits):
        lines.append(
            f"#EXT-X-STREAM-INF:BANDWIDTH={size.bits + _SOUND_BITS},RESOLUTION={size.width}x{size.height},"
            f'FRAME-RATE=25,CODECS="{_CODECS}"'
        )
        lines.append(f"{size.name}.m3u8")
    (folder / MASTER_NAME).write_text("\n".join(lines) + "\n", encoding="ascii")


def _options(size: Size, folder: Path) -> dict[str, str]:
    return {
        "hls_time": str(_SEGMENT_SECONDS),
        "hls_playlist_type": "vod",
        "hls_segment_type": "fmp4",
        "hls_flags": "independent_segments",
        "hls_fmp4_init_filename": f"{size.name}-init.mp4",
        "hls_segment_filename": str(folder / f"{size.name}-%05d.m4s"),
    }
