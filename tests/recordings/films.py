"""Files that people might upload: films, what claims to be one, and traps."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np


def film(
    path: Path, container: str = "mp4", codec: str = "libx264", *, size: tuple[int, int] = (320, 180), frames: int = 50,
    sounds: int = 1, jump: int = 0, echo: int = 0,
) -> Path:  # fmt: skip
    """A film of 25 frames a second that grows lighter; `jump` frames are left out before the last one.

    Its sound goes on for `echo` frames more.
    """
    width, height = size
    with av.open(str(path), "w", format=container) as out:
        video: Any = out.add_stream(codec, rate=25)
        video.width, video.height = size
        video.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        voices: list[Any] = [out.add_stream("aac", rate=48_000, layout="stereo") for _ in range(sounds)]
        for number in range(frames):
            picture = np.full((height * 3 // 2, width), 20 + number * 4 % 200, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p").reformat(format=video.pix_fmt)
            frame.pts, frame.time_base = number + (jump if number == frames - 1 else 0), Fraction(1, 25)
            out.mux(video.encode(frame))
            for voice in voices:
                out.mux(voice.encode(_silence(number)))
        for number in range(frames, frames + echo):
            for voice in voices:
                out.mux(voice.encode(_silence(number)))
        for stream in (video, *voices):
            out.mux(stream.encode(None))
    return path


def _silence(number: int) -> av.AudioFrame:
    """The sound of one frame of 25 a second."""
    sound = av.AudioFrame.from_ndarray(np.zeros((2, 1920), np.float32), format="fltp", layout="stereo")
    sound.sample_rate, sound.pts = 48_000, number * 1920
    return sound


def playable(path: Path, frames: int = 50) -> Path:
    """A film as composition leaves it: its index before its media."""
    made = film(path.with_name("index last.mp4"), frames=frames)
    with av.open(str(made)) as read, av.open(str(path), "w", options={"movflags": "+faststart"}) as out:
        streams = {stream.index: out.add_stream_from_template(stream) for stream in read.streams}
        for packet in read.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    made.unlink()
    return path


def sound_alone(path: Path) -> Path:
    """A song."""
    with av.open(str(path), "w", format="mp4") as out:
        voice: Any = out.add_stream("aac", rate=48_000, layout="stereo")
        for number in range(50):
            out.mux(voice.encode(_silence(number)))
        out.mux(voice.encode(None))
    return path


def without_its_end(path: Path) -> Path:
    """A film whose index, which stands last, has not arrived."""
    whole = film(path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


def of(content: bytes) -> Callable[[Path], Path]:
    """A file with this in it."""

    def write(path: Path) -> Path:
        path.write_bytes(content)
        return path

    return write


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
CONCATENATION = b"ffconcat version 1.0\nfile /etc/passwd\n"
