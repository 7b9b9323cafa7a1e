"""Every refusal has a sentence in every language, and the right language is found."""

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from localization import LANGUAGES, LOCALES, ErrorTexts, Language, choose_language
from recordings.states import Failure
from web.api.parsing import SENTENCES
from web.refusals import HTTP_CODES

ROOT = Path(__file__).parents[2]
PACKAGES = ("database", "members", "rooms", "recordings", "signaling", "web", "media")
CODE = re.compile(r"^[a-z][a-z0-9]*(_[a-z0-9]+)+$|^forbidden$|^removed$")


def sources() -> list[Path]:
    return [
        path
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if "client" not in path.parts and "node_modules" not in path.parts
    ]


def raised_codes(source: Path) -> Iterator[str]:
    """The code of every `Problem(Kind.X, "code")` in a file; a code that is no literal is found by other tests."""
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Problem":
            for argument in node.args[1:2]:
                for constant in ast.walk(argument):
                    if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
                        yield constant.value


def documented_codes(source: Path) -> Iterator[str]:
    """The codes that a package's docstring lists after "codes raised here"."""
    text = ast.get_docstring(ast.parse(source.read_text())) or ""
    for listed in re.findall(r"codes raised here[^:]*:(.*?)(?:\n\n|$)", text, re.DOTALL | re.IGNORECASE):
        without_notes = re.sub(r"\([^)]*\)", "", listed)
        yield from (word for word in re.findall(r"[a-z_0-9]+", without_notes) if CODE.match(word))


@cache  # it reads every source
def every_code() -> frozenset[str]:
    codes = {code for path in sources() for code in (*raised_codes(path), *documented_codes(path))}
    others = {*SENTENCES.values(), *HTTP_CODES.values(), "request_refused", "internal_error"}
    return frozenset(codes | others)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_a_sentence(language: Language) -> None:
    assert len(every_code()) > 80
    assert every_code() - ErrorTexts.load().codes(language) == set()


def test_both_languages_have_the_same_codes() -> None:
    texts = ErrorTexts.load()
    assert texts.codes("zh-CN") == texts.codes("en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_safe_for_the_browsers_message_syntax(language: Language) -> None:
    texts = ErrorTexts.load()
    for code in texts.codes(language):
        assert not set("@|<>") & set(texts.text(code, language)), code


def test_details_fill_a_text_and_what_is_missing_stays() -> None:
    texts = ErrorTexts({"zh-CN": {"wait": "{retryAfter} 秒"}, "en": {"wait": "{retryAfter} s, {other}"}})
    assert texts.text("wait", "zh-CN", {"retryAfter": 5}) == "5 秒"
    assert texts.text("wait", "en", {"retryAfter": 5}) == "5 s, {other}"
    assert texts.text("unheard_of", "en") == "unheard_of"


@pytest.mark.parametrize(
    ("account", "header", "language"),
    [
        ("en", "zh-CN", "en"),
        (None, "en-GB,en;q=0.9", "en"),
        (None, "zh-TW,zh;q=0.9,en;q=0.8", "zh-CN"),
        (None, "de,en;q=0.5,zh;q=0.7", "zh-CN"),
        (None, "en;q=0,zh;q=0.1", "zh-CN"),
        (None, "fr", "zh-CN"),
        (None, "", "zh-CN"),
        (None, None, "zh-CN"),
        (None, "en;q=abc", "zh-CN"),
        (None, ";;;,,,=", "zh-CN"),
        ("xx", "en", "en"),
    ],
)
def test_the_language_is_the_accounts_then_the_browsers_then_chinese(
    account: str | None, header: str | None, language: Language
) -> None:
    assert choose_language(account, header) == language


@pytest.mark.parametrize("language", LANGUAGES)
def test_people_read_why_a_recording_failed(language: str) -> None:
    texts = json.loads((LOCALES / language / "recordings.json").read_text())
    assert set(texts["failures"]) == {failure.value for failure in Failure}
