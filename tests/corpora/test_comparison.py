"""What counts as the same text, and what does not."""

from __future__ import annotations

import pytest

from workbench.corpora.comparison import comparable, digest


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("বড়\u200d বাড়ি।", "বড\u09bc বাড\u09bcি"),
        ("\u09df", "\u09af\u09bc"),
        ("উদ্\u200cযাপন", "উদ্যাপন"),
        ("কে তুমি?", "কে  তুমি !"),
        ("Facebook এ", "FACEBOOK এ…"),
    ],
)
def test_the_same_text(one: str, other: str) -> None:
    assert comparable(one) == comparable(other)
    assert digest(one) == digest(other)


@pytest.mark.parametrize(("one", "other"), [("বাচ্চা", "বাচচা"), ("মহারানী", "মহারাণী"), ("😂", "😡"), ("a b", "ab"), ("", "।")])
def test_different_texts(one: str, other: str) -> None:
    assert digest(one) != digest(other)


def test_vowel_signs_and_hasanta_stay() -> None:
    assert comparable("মহারানী, বাচ্চা; সংগঠন!") == "মহারানী বাচ্চা সংগঠন"


def test_several_texts_are_compared_one_by_one() -> None:
    assert digest("a b", "c") != digest("a", "b c")
