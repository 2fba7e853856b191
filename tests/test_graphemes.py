"""Letters that a view must not cut."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from workbench.graphemes import graphemes, whole


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("ক্ষমা", ["ক্ষ", "মা"]),
        ("স্ত্রী", ["স্ত্রী"]),
        ("বাচ্চা", ["বা", "চ্চা"]),
        ("মহারানী", ["ম", "হা", "রা", "নী"]),
        ("র\u200d্যাব", ["র\u200d্যা", "ব"]),
        ("উদ্\u200cযা", ["উ", "দ্\u200c", "যা"]),
        ("বড\u09bc", ["ব", "ড\u09bc"]),
        ("👨‍👩‍👧🇧🇩", ["👨‍👩‍👧", "🇧🇩"]),
        ("e\u0301a", ["e\u0301", "a"]),
        ("", []),
    ],
)
def test_letters(text: str, letters: list[str]) -> None:
    assert [text[start:end] for start, end in graphemes(text)] == letters


@given(st.text())
def test_spans_cover_the_text_without_a_gap(text: str) -> None:
    spans = graphemes(text)
    assert "".join(text[start:end] for start, end in spans) == text
    assert all(start < end for start, end in spans)


@given(st.data(), st.text(alphabet="কষ্মািশ্র\u200c\u200d👨👧a \u09bcড", min_size=1))
def test_whole_letters_contain_what_was_asked(data: st.DataObject, text: str) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    first, last = whole(text, start, end)
    borders = {border for span in graphemes(text) for border in span}
    assert first <= start
    assert end <= last
    assert start == end or {first, last} <= borders
    assert whole(text, first, last) == (first, last)
