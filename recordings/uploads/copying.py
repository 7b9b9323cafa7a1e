"""Takes over the pictures of a film that every browser plays as they are, with sound made for it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import av
from av.error import FFmpegError

from recordings.compose.film import Timed, interleave, sound_packets
from recordings.compose.verify import verify
from recordings.faults import blame_machine
from recordings.uploads.probe import film_stream, open_film

# A seek in a film with fewer key frames shows nothing for too long.
_LONGEST_WITHOUT_KEY_FRAME: Final = 10.0


def copy_pictures(source: Path, begin: float, sound: Path, film: Path, seconds: float) -> float | None:
    """Write `film`: the source's pictures from `begin` on with the sound that begins there; answers its length.

    None where they must be encoded anew after all: a film with few key frames, or one that does not come out as long
    as the source says that it is, in seconds. OSError of the machine, which is in the way of that too.
    """
    try:
        with (
            open_film(source) as container,
            av.open(str(sound)) as heard,
            av.open(str(film), "w", format="mp4", options={"movflags": "+faststart"}) as out,
        ):
            pictures = film_stream(container)
            pictures_out = out.add_stream_from_template(pictures)
            sound_out = out.add_stream_from_template(heard.streams.audio[0])
            interleave(
                out, _pictures(container, pictures, begin, pictures_out), sound_packets(heard, sound_out)
            )
        return verify(film, seconds)
    except (FFmpegError, ValueError) as error:
        blame_machine(error)
        return None


def _pictures(container: Any, stream: Any, begin: float, to: Any) -> Iterator[Timed]:
    shift = round(begin / stream.time_base)
    last_key = 0.0
    for packet in container.demux(stream):
        if packet.pts is None or packet.dts is None:
            continue
        packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
        at = float(packet.dts * packet.time_base)
        if at - last_key > _LONGEST_WITHOUT_KEY_FRAME:
            raise ValueError("too few key frames")
        last_key = at if packet.is_keyframe else last_key
        yield at, to, packet
