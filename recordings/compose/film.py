"""Encodes the film's pictures in parts that are kept, and joins parts and sound into one MP4 without encoding again."""

import contextlib
import heapq
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import av
from av.error import FFmpegError
from av.video.frame import PictureType

from recordings.compose.brief import Brief
from recordings.compose.layout import HEIGHT, WIDTH
from recordings.compose.scenes import FRAME_RATE
from recordings.renditions import Chapter

# A key frame every two seconds: a seek decodes at most 50 frames before it shows something.
KEY_FRAME_DISTANCE: Final = 2 * FRAME_RATE
PART_SUFFIX: Final = ".part"
# So many at the beginning of a part are encoded in any case: for the sake of B-frames decoding is ahead of showing by
# as much as these lie apart, and parts that are joined must be ahead alike.
_ALWAYS_ENCODED: Final = 3
_FRAME: Final = Fraction(1, FRAME_RATE)
_Packet = Any  # PyAV's packets are generic over streams it does not name
Timed = tuple[float, Any, _Packet]
"""Seconds, where it goes, and what."""
_MILLISECONDS: Final = Fraction(1, 1000)


@dataclass(frozen=True, slots=True)
class Size:
    """One size in which the film is had; `name` is its height with a p, as players show it."""

    width: int
    height: int
    bits: int  # a second, at most

    @property
    def name(self) -> str:
        """720p."""
        return f"{self.height}p"


LARGE: Final = Size(WIDTH, HEIGHT, 2_500_000)
# For lines of a village: a reading room's 2 Mbit/s carry ten of the smallest.
SMALLER: Final = (Size(854, 480, 900_000), Size(426, 240, 180_000))


def sizes_of(seconds: float, brief: Brief) -> tuple[Size, ...]:
    """In which a film of this length is made."""
    return (LARGE, *SMALLER) if brief.wants_sizes(seconds) else (LARGE,)


def frames_in(part_seconds: float) -> int:
    """Of a part of about this length: every part begins with a key frame."""
    return max(1, round(part_seconds * FRAME_RATE / KEY_FRAME_DISTANCE)) * KEY_FRAME_DISTANCE


class PicturePart:
    """One stretch of the film's pictures in one size; `finish` lets the file appear, whole."""

    def __init__(self, path: Path, size: Size) -> None:
        self._path = path
        self._unfinished = path.with_name(path.name + PART_SUFFIX)
        self._container = av.open(str(self._unfinished), "w", format="mp4")
        self._stream: Any = self._container.add_stream("libx264", rate=FRAME_RATE, options=_options(size))
        self._stream.width, self._stream.height = size.width, size.height
        self._stream.pix_fmt = "yuv420p"
        self._stream.thread_count = 1  # the sizes are the threads
        self._stream.gop_size = KEY_FRAME_DISTANCE
        self._stream.time_base = Fraction(1, FRAME_RATE)
        self._frames = 0
        self._left_out: av.VideoFrame | None = None  # the last one, which is the one before it again

    def add(self, frame: av.VideoFrame) -> None:
        """The next frame."""
        self._left_out = None
        frame.pts = self._frames
        frame.time_base = Fraction(1, FRAME_RATE)
        # Where a key frame stands, time says and not the number of frames that were encoded.
        key = self._frames % KEY_FRAME_DISTANCE == 0
        frame.pict_type = PictureType.I if key else PictureType.NONE
        self._frames += 1
        self._container.mux(self._stream.encode(frame))

    def repeat(self, frame: av.VideoFrame) -> None:
        """The frame that was last stands for one longer: left out, unless the one before was too.

        Players show it for as long. Of nine cameras whose pictures change with every other frame a quarter of the
        encoder's work is saved, and the pictures come out 0.9 to 1.2 dB better.
        """
        begins = self._frames < _ALWAYS_ENCODED or self._frames % KEY_FRAME_DISTANCE == 0
        if begins or self._left_out is not None:
            self.add(frame)
        else:
            self._left_out = frame
            self._frames += 1

    def finish(self) -> None:
        """Write what the encoder still holds; OSError where the disk refuses."""
        if self._left_out is not None:  # a part ends with its last frame
            self._frames -= 1
            self.add(self._left_out)
        self._container.mux(self._stream.encode(None))
        self._container.close()
        with self._unfinished.open("rb") as file:
            os.fsync(file.fileno())
        self._unfinished.replace(self._path)

    def abandon(self) -> None:
        """Give the file up as it is; what made it so is being raised already."""
        with contextlib.suppress(FFmpegError, OSError):
            self._container.close()
        self._unfinished.unlink(missing_ok=True)


def _options(size: Size) -> dict[str, str]:
    """Faces and pages hardly gain from slower presets, and this one leaves most of the machine to the decoders.

    A coarser look for motion than the preset's (`subme`) saves three tenths of the work and costs 6 % more bits at the
    same quality, a narrower one (`me`) saves a little more and costs nothing, neither of people nor of pages that
    scroll; the smallest size, which costs next to nothing and is for lines where every bit counts, goes without.
    """
    return {
        "preset": "veryfast",
        **({} if size is SMALLER[-1] else {"x264-params": "subme=1:me=dia"}),
        "crf": "24",
        "maxrate": str(size.bits),
        "bufsize": str(2 * size.bits),
        "profile": "main",
        "level": "3.1",
        # Players change between sizes at key frames, so these stand at the same places in all of them.
        "sc_threshold": "0",
    }


@dataclass(frozen=True, slots=True)
class Reel:
    """The parts of one size in order, each with the frame at which it begins, and the sound that goes with it."""

    parts: Sequence[tuple[int, Path]]
    sound: Path
    seconds: float


def join(
    reel: Reel, path: Path, container_format: str, options: dict[str, str], chapters: Sequence[Chapter]
) -> int:
    """Put a reel's packets into one container, nothing decoded; answers their bytes. OSError of the disk."""
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(av.open(str(path), "w", format=container_format, options=options))
        first = stack.enter_context(av.open(str(reel.parts[0][1])))
        sound = stack.enter_context(av.open(str(reel.sound)))
        pictures_out = output.add_stream_from_template(first.streams.video[0])
        sound_out = output.add_stream_from_template(sound.streams.audio[0])
        if chapters:
            output.set_chapters(_chapters(chapters, reel.seconds))
        return interleave(output, _pictures(reel, pictures_out), sound_packets(sound, sound_out))


def interleave(output: Any, *streams: Iterator[Timed]) -> int:
    """Write packets of several streams, each in order, so that what is played together lies together; their bytes."""
    written = 0
    for _, stream, packet in heapq.merge(*streams, key=itemgetter(0)):
        packet.stream = stream
        written += packet.size
        output.mux_one(packet)
    return written


def _pictures(reel: Reel, to: Any) -> Iterator[Timed]:
    """All parts' packets on one time line, in frames, each lasting until the next is to be decoded."""
    last: _Packet | None = None
    delay = 0
    for packet in _in_frames(reel):
        if last is None:
            delay = packet.dts
        else:
            last.duration = packet.dts - last.dts
            yield last.dts / FRAME_RATE, to, last
        last = packet
    if last is not None:
        last.duration = max(1, round(reel.seconds * FRAME_RATE) + delay - last.dts)
        yield last.dts / FRAME_RATE, to, last


def _in_frames(reel: Reel) -> Iterator[_Packet]:
    for begin, path in reel.parts:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            scale = float(stream.time_base or 0) * FRAME_RATE
            for packet in container.demux(stream):
                if packet.pts is None or packet.dts is None:
                    continue
                packet.pts, packet.dts = (round(at * scale) + begin for at in (packet.pts, packet.dts))
                packet.time_base = _FRAME
                yield packet


def sound_packets(container: Any, to: Any) -> Iterator[Timed]:
    """Of a file of sound, as they are, on their way to the stream `to`."""
    stream = container.streams.audio[0]
    scale = float(stream.time_base)
    for packet in container.demux(stream):
        if packet.pts is not None and packet.size:
            yield (packet.dts or 0) * scale, to, packet


def _chapters(chapters: Sequence[Chapter], seconds: float) -> list[Any]:
    starts = [round(chapter.start_seconds * 1000) for chapter in chapters]
    ends = [*starts[1:], max(round(seconds * 1000), starts[-1] + 1)]
    return [
        {
            "id": index,
            "start": start,
            "end": end,
            "time_base": _MILLISECONDS,
            "metadata": {"title": chapter.title},
        }
        for index, (chapter, start, end) in enumerate(zip(chapters, starts, ends, strict=True))
    ]
