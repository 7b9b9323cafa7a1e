"""HTTP Live Streaming (RFC 8216) of a finished film: three sizes between which a player changes as its line allows."""

import errno
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NoReturn

import av

from recordings.compose.film import KEY_FRAME_DISTANCE, SMALLER, Reel, Size, join
from recordings.compose.scenes import FRAME_RATE
from recordings.compose.sound import FILM_SOUND, POOR_SOUND
from recordings.compose.verify import verify
from recordings.renditions import HLS_MASTER

# One key frame a segment: a player shows a picture only when the whole segment is there, so a seek waits for it.
_SEGMENT_SECONDS: Final = KEY_FRAME_DISTANCE // FRAME_RATE
_EXTINF: Final = re.compile(r"#EXTINF:([0-9.]+),\n#EXT-X-BYTERANGE:([0-9]+)@")
_LAST_LINE: Final = b"#EXT-X-ENDLIST"
_TRIAL_BYTES: Final = 1 << 20


def sound_of(size: Size) -> str:
    """The file of sound that goes with a size: the smallest is for lines that bear no more."""
    return POOR_SOUND if size is SMALLER[-1] else FILM_SOUND


def package(reels: Mapping[Size, Reel], folder: Path) -> None:
    """Write fragmented MP4 and playlists into a new folder, flat: a player asks for every name beside the master's.

    ValueError where what was written does not play.

    A segment is a part of the one file of its size (RFC 8216 section 4.3.2.2). In files of their own two hours would be
    3,600 a size, to be looked up, counted, carried to a store and deleted one by one.
    """
    folder.mkdir(exist_ok=True)
    for size, reel in reels.items():
        write_size(reel, size, folder)
    write_master(reels, folder)


def write_size(reel: Reel, size: Size, folder: Path) -> None:
    """One size; OSError of the disk, ValueError where what was written does not play."""
    playlist = folder / f"{size.name}.m3u8"
    media = playlist.with_suffix(".m4s")
    written = join(reel, playlist, "hls", _options(media), ())
    # FFmpeg makes playlists of files that the disk has refused, and says nothing.
    if media.stat().st_size < written or _LAST_LINE not in playlist.read_bytes():
        _refused(media)
    verify(playlist, reel.seconds)


def _refused(media: Path) -> NoReturn:
    """OSError as the disk says it, if it still does."""
    with media.open("ab") as file:
        file.write(bytes(_TRIAL_BYTES))
        file.flush()
        os.fsync(file.fileno())
    raise OSError(errno.EIO, "not all of it was written")


def write_master(sizes: Iterable[Size], folder: Path) -> None:
    """The playlist that names the others, which are there."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for size in sorted(sizes, key=lambda size: size.bits):
        playlist = folder / f"{size.name}.m3u8"
        average, most = _bandwidth(playlist)
        lines.append(
            f"#EXT-X-STREAM-INF:BANDWIDTH={most},AVERAGE-BANDWIDTH={average},"
            f"RESOLUTION={size.width}x{size.height},FRAME-RATE={FRAME_RATE:.3f},"
            f'CODECS="{_codecs(playlist.with_suffix(".m4s"))}"'
        )
        lines.append(playlist.name)
    (folder / HLS_MASTER).write_text("\n".join(lines) + "\n", encoding="ascii")


def _options(film: Path) -> dict[str, str]:
    return {
        "hls_time": str(_SEGMENT_SECONDS),
        "hls_playlist_type": "vod",
        "hls_segment_type": "fmp4",
        "hls_flags": "independent_segments+single_file",
        "hls_segment_filename": str(film),
    }


def _bandwidth(playlist: Path) -> tuple[int, int]:
    """Bits a second on average and at most, as they were written.

    A rest of less than half a segment does not count for the most (RFC 8216 section 4.1, "peak segment bit rate").
    """
    segments = [
        (float(seconds), 8 * int(size))
        for seconds, size in _EXTINF.findall(playlist.read_text(encoding="ascii"))
    ]
    average = sum(bits for _, bits in segments) / sum(seconds for seconds, _ in segments)
    whole = [bits / seconds for seconds, bits in segments if seconds >= _SEGMENT_SECONDS / 2]
    return round(average), round(max(whole, default=average))


def _codecs(film: Path) -> str:
    """As RFC 6381 writes them, out of what the encoders wrote: the profile and level that a player must decode."""
    with av.open(str(film)) as container:
        pictures = container.streams.video[0].codec_context.extradata or b""
        sound = container.streams.audio[0].codec_context.extradata or b""
    # AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1): version, profile, compatibility, level.
    # AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1): the object type is in the first five bits.
    return f"avc1.{pictures[1:4].hex()},mp4a.40.{sound[0] >> 3}"
