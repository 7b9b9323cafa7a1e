"""The subtitles that stand in a film, as captions: text of every kind that FFmpeg reads; pictures of text are left out.

They take a look of their own at the file, and only where it has some: an hour of them is nothing beside its pictures.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from av.error import FFmpegError

from recordings.captions.rules import LABEL_LENGTH, MOST_LANGUAGES, CaptionsFile, is_language
from recordings.captions.webvtt import MOST_CUES, MOST_TEXT, Cue, fitting, write
from recordings.faults import blame_machine
from recordings.uploads.decoding import packets_of
from recordings.uploads.probe import open_film

# Of DVDs and discs there are pictures of text, of television pages: nobody reads those but eyes.
_TEXT_CODECS: Final = frozenset({"mov_text", "srt", "subrip", "ass", "ssa", "webvtt", "text"})
# By ISO 639-2, as containers name it, for whom officers write captions here.
_LANGUAGES: Final = {
    "chi": "zh-CN", "zho": "zh-CN", "zh": "zh-CN", "eng": "en", "tib": "bo", "bod": "bo", "mon": "mn", "uig": "ug",
}  # fmt: skip
_NAMES: Final = {"zh-CN": "中文", "en": "English", "bo": "བོད་ཡིག", "mn": "Монгол", "ug": "ئۇيغۇرچە"}
_UNKNOWN: Final = "und"
# Some files do not say how long a line is to be read: until the next, or for as long as one takes.
_SECONDS_TO_READ: Final = 4.0
# FFmpeg makes of all of them the events of Advanced SubStation Alpha, whose last field is the text.
_FIELDS_BEFORE_TEXT: Final = 8
_OVERRIDE: Final = re.compile(r"\{\\[^}]*\}")
_DRAWING: Final = re.compile(r"\{[^}]*\\p[1-9][^}]*\}")


def read_subtitles(source: Path, begin: float, seconds: float, unnamed: str) -> tuple[CaptionsFile, ...]:
    """Those of the film that begins at second `begin` of the file and lasts for so long, in the file's order.

    `unnamed`: what the player calls those that do not say their language. What does not decode is left out; OSError of
    the machine.
    """
    with open_film(source) as container:
        streams = [one for one in container.streams.subtitles if _is_text(one)][:MOST_LANGUAGES]
        cues: dict[int, list[Cue]] = {one.index: [] for one in streams}
        try:
            for packet in packets_of(container, streams) if streams else ():
                of_stream = cues[packet.stream.index]
                if len(of_stream) < MOST_CUES and (cue := _cue(packet, begin)) is not None:
                    of_stream.append(cue)
        except FFmpegError as error:  # the film stands; of what is said in it there is no more
            blame_machine(error)
        said = [(one.metadata.get("language", ""), one.metadata.get("title", "")) for one in streams]
    found: list[CaptionsFile] = []
    for (language, title), in_film in zip(said, cues.values(), strict=True):
        shown = fitting(_shown(in_film, seconds))
        if shown:
            found.append(_named(language, title, unnamed, found, write(shown)))
    return tuple(found)


def _is_text(stream: Any) -> bool:
    return stream.codec_context is not None and stream.codec_context.name in _TEXT_CODECS


def _cue(packet: Any, begin: float) -> Cue | None:
    """What is to be read, by the film's time; it may lie outside of the film, and end when it begins."""
    if packet.pts is None or not packet.size:
        return None
    try:
        decoded = packet.stream.decode2(packet)
    except (FFmpegError, ValueError) as error:
        blame_machine(error)
        return None
    text = "\n".join(filter(None, map(_text, decoded or ())))[:MOST_TEXT]
    if not text:
        return None
    at = float(packet.pts * packet.time_base) - begin
    return Cue(at, at + float((packet.duration or 0) * packet.time_base), text)


def _text(event: Any) -> str:
    fields = event.ass.decode(errors="replace").split(",", _FIELDS_BEFORE_TEXT)
    if len(fields) <= _FIELDS_BEFORE_TEXT or _DRAWING.search(fields[-1]):
        return ""
    text = _OVERRIDE.sub("", fields[-1]).replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")
    return "\n".join(filter(None, map(str.strip, text.splitlines())))


def _shown(cues: Sequence[Cue], seconds: float) -> Iterator[Cue]:
    """By time, within the film."""
    ordered = sorted(cues, key=lambda cue: cue.begin)
    nexts = [*(cue.begin for cue in ordered[1:]), seconds]
    for cue, following in zip(ordered, nexts, strict=False):
        end = cue.end if cue.end > cue.begin else min(cue.begin + _SECONDS_TO_READ, following)
        begin, end = round(max(0.0, cue.begin), 3), round(min(end, seconds), 3)  # as WebVTT has them
        if begin < end:
            yield Cue(begin, end, cue.text)


def _named(
    language: str, title: str, unnamed: str, before: Iterable[CaptionsFile], text: str
) -> CaptionsFile:
    """Every language once, as players choose by it: a second of one is told apart by its place."""
    key = _LANGUAGES.get(language, language)
    if not is_language(key):
        key = _UNKNOWN
    label = title.strip() if title.isprintable() else ""
    label = label or _NAMES.get(key) or (unnamed if key == _UNKNOWN else key)
    taken = {one.language for one in before}
    place = len(taken) + 1
    if key in taken:
        key = f"{key.split('-')[0]}-track{place}"
        label = label if title else f"{label} {place}"
    return CaptionsFile(key, label[:LABEL_LENGTH], text)
