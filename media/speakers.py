"""Who is speaking: smoothed audio levels in, active speaker and levels out; pure, on simulated time in tests.

The speaker must not flicker: a short laugh or cough of somebody else does not take the floor, a pause for breath does
not give it away. A challenger takes it by being louder for a while; nobody has it after a long silence.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from media.events import ActiveSpeakerChanged, AudioLevels

# Between syllables a voice sinks no lower than a quiet office: a pause must not weigh more than a soft voice.
PAUSE_DBOV = -60

# Smoothed; the softest voice there is (the plane hears none below -50) gets here with its first word.
SPEECH_DBOV = -55

# A challenger must lead by this much, for this long; a silent holder only holds against it for as long.
LEAD_DB = 4.0
LEAD_SECONDS = 0.6

# After this long without any voice nobody is the speaker; pauses between sentences are below two seconds.
SILENCE_SECONDS = 3.0

# Loudness follows speech over syllables (about five a second), not within them.
SMOOTHING_SECONDS = 0.4

REPORT_SECONDS = 1.0

SILENT_DBOV = -127


class Level(NamedTuple):
    """A producer's level now, in dBov: -127 nobody speaks there, however loud the room is, .. 0 loudest."""

    producer_id: str
    dbov: int


@dataclass(slots=True)
class _Voice:
    loudness: float = PAUSE_DBOV
    peak: int = SILENT_DBOV  # since the last report


@dataclass(slots=True)
class SpeakerDetector:
    """One room's ears. Call `update` about five times a second with everybody's level."""

    active: str | None = None
    _voices: dict[str, _Voice] = field(default_factory=dict)
    _updated: float | None = None
    _reported: float | None = None
    _reported_silence: bool = True
    _challenger: str | None = None
    _challenging_since: float = 0.0
    _heard: float = 0.0  # when the active speaker, or anybody, was last heard

    def update(self, levels: Sequence[Level], now: float) -> list[ActiveSpeakerChanged | AudioLevels]:
        """The events that follow; producers that are not in `levels` any more are forgotten."""
        self._follow(levels, now)
        events: list[ActiveSpeakerChanged | AudioLevels] = []
        before = self.active
        self._choose(now)
        if self.active != before:
            events.append(ActiveSpeakerChanged(self.active))
        if self._reported is None or now - self._reported >= REPORT_SECONDS:
            self._reported = now
            events.extend(self._report())
        return events

    def _follow(self, levels: Iterable[Level], now: float) -> None:
        elapsed = 0.0 if self._updated is None else max(0.0, now - self._updated)
        weight = min(1.0, elapsed / SMOOTHING_SECONDS)
        self._updated = now
        voices: dict[str, _Voice] = {}
        for producer_id, dbov in levels:
            voice = self._voices.get(producer_id) or _Voice()
            voice.loudness += weight * (max(dbov, PAUSE_DBOV) - voice.loudness)
            voice.peak = max(voice.peak, dbov)
            voices[producer_id] = voice
        self._voices = voices

    def _choose(self, now: float) -> None:
        loudest = max(self._voices, key=lambda name: self._voices[name].loudness, default=None)
        if loudest is None or self._voices[loudest].loudness < SPEECH_DBOV:
            self._challenger = None
            if now - self._heard >= SILENCE_SECONDS or self.active not in self._voices:
                self.active = None
            return
        self._heard = now
        if self.active not in self._voices:
            self.active, self._challenger = loudest, None
            return
        lead = self._voices[loudest].loudness - self._voices[self.active].loudness
        if loudest == self.active or lead < LEAD_DB:
            self._challenger = None
        elif loudest != self._challenger:
            self._challenger, self._challenging_since = loudest, now
        elif now - self._challenging_since >= LEAD_SECONDS:
            self.active, self._challenger = loudest, None

    def _report(self) -> list[AudioLevels]:
        """Those heard since the last report; one empty report ends a conversation, then there is silence."""
        heard = [(name, voice.peak) for name, voice in self._voices.items() if voice.peak > SILENT_DBOV]
        for voice in self._voices.values():
            voice.peak = SILENT_DBOV
        if not heard and self._reported_silence:
            return []
        self._reported_silence = not heard
        return [AudioLevels(tuple(sorted(heard, key=lambda level: -level[1])))]
