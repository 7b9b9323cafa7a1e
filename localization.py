"""Sentences for people: texts of locales/<language>/errors.json by stable code, and the choice of a language.

Both edges (web/api and signaling) answer a Problem with the text of its code from here. A text may name
values of the problem's details in braces: `"too_many_attempts": "请 {retryAfter} 秒后再试。"`.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, get_args

Language = Literal["zh-CN", "en"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
DEFAULT_LANGUAGE: Final[Language] = "zh-CN"
LOCALES: Final = Path(__file__).resolve().parent / "locales"


class ErrorTexts:
    """What a person reads for each error code, in each language."""

    def __init__(self, texts: Mapping[Language, Mapping[str, str]]) -> None:
        self._texts = {language: dict(texts[language]) for language in LANGUAGES}

    @classmethod
    def load(cls, folder: Path = LOCALES) -> "ErrorTexts":
        """Read errors.json of every language; OSError or ValueError when one is missing or broken."""
        return cls(
            {language: json.loads((folder / language / "errors.json").read_bytes()) for language in LANGUAGES}
        )

    def codes(self, language: Language) -> frozenset[str]:
        """The codes that have a text."""
        return frozenset(self._texts[language])

    def text(self, code: str, language: Language, details: Mapping[str, Any] | None = None) -> str:
        """The sentence for `code`, with `details` filled in; the code itself when nobody wrote one."""
        sentence = self._texts[language].get(code)
        if sentence is None:
            return code
        return sentence.format_map(_Known(details or {}))


@cache
def page_texts(file: str, language: Language) -> Mapping[str, Any]:
    """`<file>.json` of the locales as it stands, for a sheet that uses the words of the page that it is taken from."""
    texts: dict[str, Any] = json.loads((LOCALES / language / f"{file}.json").read_bytes())
    return texts


def choose_language(account_locale: str | None, accept_language: str | None) -> Language:
    """The account's own language, else the browser's best of ours (RFC 9110 section 12.5.4), else Chinese."""
    if account_locale in LANGUAGES:
        return account_locale
    ranked = sorted(_ranges(accept_language or ""), key=lambda pair: -pair[1])
    for tag, quality in ranked:
        if quality <= 0:
            continue
        for language in LANGUAGES:
            if tag == language.lower() or tag.split("-")[0] == language.split("-")[0].lower():
                return language
    return DEFAULT_LANGUAGE


def _ranges(header: str) -> list[tuple[str, float]]:
    ranges = []
    for part in header[:500].split(","):
        tag, _, parameter = part.strip().lower().partition(";")
        name, _, value = parameter.strip().partition("=")
        try:
            quality = float(value) if name.strip() == "q" else 1.0
        except ValueError:
            quality = 0.0
        if tag:
            ranges.append((tag.strip(), quality))
    return ranges


class _Known(dict[str, Any]):
    """Leaves a brace with no value in the details as it stands: a text must never turn into an exception."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"
