"""Full-text search that needs no word breaks and no extension of either database.

Chinese has no spaces between words, so a text is kept as its **terms**: every two neighbouring characters of Chinese,
and every word or number of other scripts. What is looked for is cut in the same way; a recording that has all its terms
(each by the index) is checked against the text itself for what is asked as one piece. Pure.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MOST_TEXT: Final = 12_000  # an agenda has at most 10,000 characters
MOST_TERMS: Final = 4_000
MOST_QUERY: Final = 100
MOST_WORDS: Final = 8
TERM_LENGTH: Final = 32

# Chinese ideographs with their extensions and compatibility forms, kana and hangul: scripts written without spaces.
_DENSE: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f"
_RUN: Final = re.compile(rf"[{_DENSE}]+|[^\W_{_DENSE}]+")
_IS_DENSE: Final = re.compile(rf"[{_DENSE}]")


@dataclass(frozen=True, slots=True)
class Sought:
    """`whole`: terms that must be there; `beginnings`: terms of which the beginning is known; `pieces`: of the text."""

    whole: frozenset[str]
    beginnings: frozenset[str]
    pieces: tuple[str, ...]

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to look for: only signs, say."""
        return not (self.whole or self.beginnings)


def normal(text: str) -> str:
    """Full-width forms, letter case and runs of space do not matter."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.replace("\0", " ").split())


def terms(text: str) -> frozenset[str]:
    """The terms of a normal text, at most `MOST_TERMS`."""
    found: dict[str, None] = {}
    for run in _RUN.findall(text):
        for term in _terms_of(run):
            found.setdefault(term)
            if len(found) >= MOST_TERMS:
                return frozenset(found)
    return frozenset(found)


def sought(query: str) -> Sought:
    """What somebody looks for: words with spaces between, all of which must be there. Total on any string."""
    pieces = normal(query[:MOST_QUERY]).split()[:MOST_WORDS]
    whole, beginnings = set[str](), set[str]()
    for piece in pieces:
        for run in _RUN.findall(piece):
            if _IS_DENSE.match(run) and len(run) > 1:
                whole.update(run[at : at + 2] for at in range(len(run) - 1))
            else:
                beginnings.add(run[:TERM_LENGTH])
    return Sought(frozenset(whole), frozenset(beginnings), tuple(pieces))


def matches(text: str, query: Sought) -> bool:
    """Whether a normal text has it all; what the database's condition says, said once more for tests."""
    own = terms(text)
    return (
        query.whole <= own
        and all(any(term.startswith(begin) for term in own) for begin in query.beginnings)
        and all(piece in text for piece in query.pieces)
    )


def _terms_of(run: str) -> Iterator[str]:
    if not _IS_DENSE.match(run):
        yield run[:TERM_LENGTH]
        return
    for at in range(len(run) - 1):
        yield run[at : at + 2]
    yield run[-1]  # so that a single character is the beginning of a term wherever it stands
