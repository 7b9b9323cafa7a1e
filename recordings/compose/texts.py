"""The few sentences that stand in a film, from locales/<language>/film.json."""

import json
from typing import Final

from localization import DEFAULT_LANGUAGE, LANGUAGES, LOCALES

_MINUTE: Final = 60
_HOUR: Final = 3600


class FilmTexts:
    """Every sentence of a film in one language; OSError or ValueError where the locale is broken."""

    def __init__(self, language: str) -> None:
        known = language if language in LANGUAGES else DEFAULT_LANGUAGE
        self._texts: dict[str, str] = json.loads((LOCALES / known / "film.json").read_bytes())

    def say(self, key: str, **values: object) -> str:
        """The sentence with its values."""
        return self._texts[key].format(**values)

    def length(self, seconds: float) -> str:
        """How long something took, to the second."""
        whole = round(seconds)
        values = {
            "hours": whole // _HOUR,
            "minutes": whole % _HOUR // _MINUTE,
            "seconds": whole % _MINUTE,
        }
        if whole >= _HOUR:
            return self.say("hours", **values)
        return self.say("minutes" if whole >= _MINUTE else "seconds", **values)
