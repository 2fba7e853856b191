from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workbench.cli.terminal import visible


@given(st.text(st.characters()))
def test_what_is_shown_cannot_steer_a_terminal(text: str) -> None:
    shown = visible(text).plain
    assert not [letter for letter in shown if (letter < " " and letter != "\n") or "\x7f" <= letter < "\xa0"]
    assert len(shown.encode("utf-8")) >= len(text)


def test_markup_and_conjuncts_stay_as_they_are() -> None:
    assert visible("[red]ক্ষ\u200d্র[/red]").plain == "[red]ক্ষ\u200d্র[/red]"
