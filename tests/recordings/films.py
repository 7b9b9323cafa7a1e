"""Files that people might upload: films, what claims to be one, and traps."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np

from tests.recordings.av1 import plain_frame


class Subtitles(NamedTuple):
    """One track of them: each cue begins and ends at a millisecond."""

    codec: str
    language: str
    cues: Sequence[tuple[int, int, str]]
    title: str = ""


def film(
    path: Path, container: str = "mp4", codec: str = "libx264", *, size: tuple[int, int] = (320, 180), frames: int = 50,
    sounds: int = 1, jump: int = 0, echo: int = 0, start: int = 0,
) -> Path:  # fmt: skip
    """A film of 25 frames a second that grows lighter; `jump` frames are left out before the last one.

    Its sound goes on for `echo` frames more; its time begins with frame `start`.
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
            frame.pts = start + number + (jump if number == frames - 1 else 0)
            frame.time_base = Fraction(1, 25)
            out.mux(video.encode(frame))
            for voice in voices:
                out.mux(voice.encode(_silence(start + number)))
        for number in range(frames, frames + echo):
            for voice in voices:
                out.mux(voice.encode(_silence(start + number)))
        for stream in (video, *voices):
            out.mux(stream.encode(None))
    return path


def turned(path: Path) -> Path:
    """The same as a phone held upright writes it: lying down, with a note in the head of its track to turn it."""
    content = bytearray(film(path).read_bytes())
    before_matrix = (
        4 + 4 + 20 + 16
    )  # name, version and flags, times and duration, what is reserved: ISO 14496-12
    begin = content.index(b"tkhd") + before_matrix
    quarter = (0, 1 << 16, 0, -1 << 16, 0, 0, 180 << 16, 0, 1 << 30)
    content[begin : begin + 36] = b"".join(one.to_bytes(4, "big", signed=True) for one in quarter)
    path.write_bytes(content)
    return path


def sounding(
    path: Path, amplitude: float, *, container: str = "mp4", seconds: int = 3, noise: bool = False
) -> Path:
    """A film with a tone as loud as that, index first; with `noise` its pictures are as large as a camera's are."""
    draw = np.random.default_rng(1)
    options = {"movflags": "+faststart"} if container == "mp4" else {}
    with av.open(str(path), "w", format=container, options=options) as out:
        video: Any = out.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        (video.width, video.height), video.pix_fmt, video.gop_size = (320, 180), "yuv420p", 25
        voice: Any = out.add_stream("aac", rate=48_000, layout="stereo")
        for number in range(25 * seconds):
            picture = np.full((270, 320), 20 + number % 200, np.uint8)
            if noise:
                picture[:180] += draw.integers(0, 10, (180, 320), np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            out.mux(video.encode(frame))
            tone = amplitude * np.sin(
                np.arange(number * 1920, (number + 1) * 1920) * 2 * np.pi * 440 / 48_000
            )
            sound = av.AudioFrame.from_ndarray(
                np.stack([tone, tone]).astype(np.float32), format="fltp", layout="stereo"
            )
            sound.sample_rate, sound.pts = 48_000, number * 1920
            out.mux(voice.encode(sound))
        for stream in (video, voice):
            out.mux(stream.encode(None))
    return path


def changing(path: Path, seconds: Sequence[tuple[tuple[int, int], int, str]]) -> Path:
    """Each second another size, grey and layout of the sound, a tone; what its head says is true of the first alone."""
    with av.open(str(path), "w", format="matroska") as out:
        video: Any = out.add_stream("mjpeg", rate=25)
        (video.width, video.height), video.pix_fmt = seconds[0][0], "yuvj420p"
        voice: Any = out.add_stream("mp2", rate=48_000, layout=seconds[0][2])
        for second, (size, grey, layout) in enumerate(seconds):
            for packet in (*_second_of_grey(second, size, grey), *_second_of_tone(second, layout)):
                packet.stream = video if packet.time_base == Fraction(1, 25) else voice
                out.mux(packet)
    return path


def _second_of_grey(second: int, size: tuple[int, int], grey: int) -> Iterator[Any]:
    encoder: Any = av.CodecContext.create("mjpeg", "w")
    (encoder.width, encoder.height), encoder.pix_fmt = size, "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    frame = plain_frame((grey, 128, 128), size).reformat(format="yuvj420p")
    encoded = b"".join(map(bytes, (*encoder.encode(frame), *encoder.encode(None))))
    for number in range(25):
        packet = av.Packet(encoded)
        packet.pts = packet.dts = second * 25 + number
        packet.time_base, packet.is_keyframe = Fraction(1, 25), True
        yield packet


def _second_of_tone(second: int, layout: str) -> Iterator[Any]:
    encoder: Any = av.CodecContext.create("mp2", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, layout, "s16"
    encoder.time_base = Fraction(1, 48_000)
    for begin in range(0, 48_000 - 1_152, 1_152):
        tone = 8_000 * np.sin(np.arange(begin, begin + 1_152) * 2 * np.pi * 440 / 48_000)
        samples = np.repeat(tone, 2 if layout == "stereo" else 1).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout=layout)
        frame.sample_rate, frame.pts = 48_000, second * 48_000 + begin
        frame.time_base = Fraction(1, 48_000)
        yield from encoder.encode(frame)


def _silence(number: int) -> av.AudioFrame:
    """The sound of one frame of 25 a second."""
    sound = av.AudioFrame.from_ndarray(np.zeros((2, 1920), np.float32), format="fltp", layout="stereo")
    sound.sample_rate, sound.pts = 48_000, number * 1920
    return sound


def broadcast(path: Path, *starts: int) -> Path:
    """Two seconds of MPEG-TS again and again, the time of each beginning with that frame."""
    pieces = [film(path.with_name(f"{start}.ts"), "mpegts", start=start).read_bytes() for start in starts]
    path.write_bytes(b"".join(pieces))
    return path


def playable(path: Path, frames: int = 50) -> Path:
    """A film as composition leaves it: its index before its media."""
    made = film(path.with_name("index last.mp4"), frames=frames)
    repackaged(made, path, movflags="+faststart")
    made.unlink()
    return path


def repackaged(made: Path, path: Path, *kinds: str, **options: str) -> Path:
    """The same packets in another file, whose ending says of what kind it is; without `kinds` of all streams."""
    with av.open(str(made)) as read, av.open(str(path), "w", options=options) as out:
        wanted = [stream for stream in read.streams if not kinds or stream.type in kinds]
        streams = {stream.index: out.add_stream_from_template(stream) for stream in wanted}
        for packet in read.demux(wanted):
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    return path


def subtitled(path: Path, *tracks: Subtitles, container: str = "mp4", start: int = 0) -> Path:
    """The film with subtitles in it, of each track its cues in milliseconds of the file's time."""
    made = film(path.with_name("without subtitles"), start=start)
    with av.open(str(made)) as read, av.open(str(path), "w", format=container) as out:
        streams = {stream.index: out.add_stream_from_template(stream) for stream in read.streams}
        packets: list[Any] = []
        for packet in read.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                packets.append(packet)
        for one in tracks:
            stream: Any = out.add_stream(one.codec)
            stream.time_base = Fraction(1, 1000)
            stream.codec_context.subtitle_header = b"[Script Info]\n[V4+ Styles]\n[Events]\n"
            stream.metadata.update({"language": one.language, "title": one.title})
            for begin, end, text in one.cues:
                said = text.encode()
                packet = av.Packet(len(said).to_bytes(2, "big") + said if one.codec == "mov_text" else said)
                packet.stream, packet.time_base = stream, Fraction(1, 1000)
                packet.pts = packet.dts = begin
                packet.duration = end - begin
                packets.append(packet)
        for packet in packets:
            out.mux(packet)
    return path


def streamed(made: Path, folder: Path) -> Path:
    """The film in one size, as HLS has it; answers its media."""
    folder.mkdir()
    media = folder / "240p.m4s"
    repackaged(
        made, folder / "240p.m3u8", hls_segment_type="fmp4", hls_flags="single_file", hls_playlist_type="vod",
        hls_segment_filename=str(media),
    )  # fmt: skip
    return media


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


def overwrite(path: Path, begin: int, data: bytes) -> None:
    """Other bytes in the middle of a file, as a broken disk has them."""
    with path.open("r+b") as file:
        file.seek(begin)
        file.write(data)


def of(content: bytes) -> Callable[[Path], Path]:
    """A file with this in it."""

    def write(path: Path) -> Path:
        path.write_bytes(content)
        return path

    return write


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
CONCATENATION = b"ffconcat version 1.0\nfile /etc/passwd\n"
