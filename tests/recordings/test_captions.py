"""WebVTT files, good, bad and hostile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.captions.webvtt import MOST_BYTES, MOST_CUES, CaptionsError, Cue, parse, write

ONE = "00:01.000 --> 00:02.500\n同志们好"


@pytest.mark.parametrize(
    ("text", "cues"),
    [
        (f"WEBVTT\n\n{ONE}", [Cue(1, 2.5, "同志们好")]),
        (f"\ufeffWEBVTT 字幕\r\n\r\n{ONE}\r\n", [Cue(1, 2.5, "同志们好")]),
        (f"WEBVTT\rX: y\r\r{ONE}", [Cue(1, 2.5, "同志们好")]),
        (f"WEBVTT\n\nNOTE 说明\n两行\n\nSTYLE\n::cue {{ color: url(//x) }}\n\n7\n{ONE}", [Cue(1, 2.5, "同志们好")]),
        ("WEBVTT\n\n100:00:01.000 --> 100:00:02.000\nlate", [Cue(360_001, 360_002, "late")]),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\n<v 张三>一<b>二</b>\n<script>三&lt;四&amp;", [Cue(1, 2, "一二\n三<四&")]),
        ("WEBVTT\n\n00:01.000 --> 00:02.000 line:90% align:start x:1\n字", [Cue(1, 2, "字", "line:90% align:start")]),
        (
            "WEBVTT\n\n00:03.000 --> 00:04.000\n后\n00:01.000 --> 00:02.000\n先",
            [Cue(1, 2, "先"), Cue(3, 4, "后")],
        ),
        (f"WEBVTT\n\n00:01.000 --> 00:02.000\n\n{ONE}", [Cue(1, 2.5, "同志们好")]),
    ],
)  # fmt: skip
def test_cues_are_read_and_nothing_else(text: str, cues: list[Cue]) -> None:
    assert list(parse(text)) == cues


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("", "captions_not_webvtt", 1),
        ("1\n00:00:01,000 --> 00:00:02,000\nsrt", "captions_not_webvtt", 1),
        ("WEBVTTX\n", "captions_not_webvtt", 1),
        ("WEBVTT\n\nnothing", "captions_empty", 3),
        ("WEBVTT\n\n00:01,000 --> 00:02,000\nx", "captions_bad_time", 3),
        ("WEBVTT\n\n00:02.000 --> 00:01.000\nx", "captions_bad_time", 3),
        ("WEBVTT\n\n00:99.000 --> 01:00.000\nx", "captions_bad_time", 3),
        ("WEBVTT\n\n-->", "captions_bad_time", 3),
        ("WEBVTT\n\n٠٠:01.000 --> 00:02.000\nx", "captions_bad_time", 3),
        (f"WEBVTT\n\n00:01.000 --> 00:02.000\n{'x' * 1001}", "captions_cue_too_long", 3),
        ("WEBVTT\n\n" + "00:01.000 --> 00:02.000\nx\n\n" * (MOST_CUES + 1), "captions_too_many", 45_003),
        ("WEBVTT\n\n" + "x" * MOST_BYTES, "captions_too_large", 1),
    ],
)
def test_what_is_no_webvtt_is_refused_with_its_line(text: str, code: str, line: int) -> None:
    with pytest.raises(CaptionsError) as refused:
        parse(text)
    assert (refused.value.code, refused.value.line) == (code, line)


@given(
    st.text() | st.text(alphabet="WEBVT\n:0123.-> <&字\r", max_size=200).map(lambda text: "WEBVTT\n\n" + text)
)
def test_any_text_is_captions_or_refused(text: str) -> None:
    try:
        cues = parse(text)
    except CaptionsError:
        return
    assert parse(write(cues)) == cues


@given(
    st.lists(
        st.builds(
            lambda begin, length, text: Cue(begin / 1000, (begin + length) / 1000, text),
            st.integers(0, 35_000_000),
            st.integers(1, 100_000),
            st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=50),
        ),
        min_size=1,
        max_size=10,
    )
)
def test_what_is_written_says_the_same(cues: list[Cue]) -> None:
    again = parse(write(tuple(cues)))
    assert sorted(cue.text for cue in again) == sorted(cue.text for cue in cues)
    assert write(again) == write(parse(write(again)))
