"""Terminal tables stay within 100 columns in every terminal, and a post keeps its text."""

from __future__ import annotations

import io
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from workbench.viz.figures import figure, interval, share
from workbench.viz.terminal import fitted, post_line, table, terms_table, widest


def lines(drawn: Table | Text, width: int = 100) -> list[str]:
    stream = io.StringIO()
    Console(file=stream, width=width, color_system=None, legacy_windows=False).print(drawn)
    return stream.getvalue().splitlines()


def test_terms_fit_and_their_column_starts_at_one_place(data: Any) -> None:
    terms = data().terms
    drawn = lines(terms_table(terms, "Political"))
    assert drawn[0].startswith("Political: terms that speak most for it")
    chosen = terms.filter(pl.col("label") == "Political", pl.col("side") == "for")["term"].head(8)
    starts = {cell_len(line[: line.index(term)]) for line, term in zip(drawn[3:], chosen, strict=True)}
    assert len(starts) == 1
    assert all(max(cell_len(line), widest(line.rstrip())) <= 100 for line in drawn)


@given(st.lists(st.tuples(st.floats(), st.text(max_size=200), st.text(max_size=200)), min_size=1, max_size=5))
@settings(max_examples=100, deadline=None)
def test_no_table_is_wider_than_a_hundred_columns(rows: list[tuple[float, str, str]]) -> None:
    frame = pl.DataFrame(
        {"mean": [row[0] for row in rows], "name": [row[1] for row in rows], "term": [row[2] for row in rows]},
        schema={"mean": pl.Float64, "name": pl.String, "term": pl.String},
    )
    for line in lines(table(frame, title="x" * 300), width=200):
        assert cell_len(line) <= 100
        assert widest(line.rstrip()) <= 100
        assert not set(line) & set("\x1b\x07\u202e")


def test_columns_without_room_are_named() -> None:
    frame = pl.DataFrame({f"column_{number}": ["x" * 20] for number in range(9)} | {"term": ["স্ত্রী"]})
    drawn = lines(table(frame, title="wide"), width=200)
    assert "no room for column 4, column 5" in drawn[-1]
    assert drawn[-2].rstrip().endswith("স্ত্রী")
    assert max(map(cell_len, drawn)) <= 100


def test_text_is_never_read_as_terminal_markup_or_escape_code() -> None:
    frame = pl.DataFrame({"[red]head": ["[bold]x[/bold]"], "term": ["[link=file:///]y[/link]\x1b[31m"]})
    drawn = "\n".join(lines(table(frame, title="[red]title[/red]")))
    for kept in ("[red]title[/red]", "[red]head", "[bold]x[/bold]", "[link=file:///]y[/link]⟨U+001B⟩[31m"):
        assert kept in drawn


@pytest.mark.parametrize(
    ("text", "columns", "expected"), [("স্ত্রীলোক", 7, "স্ত্রীলোক"), ("স্ত্রীলোক", 6, "স্ত্রী…"), ("স্ত্রী", 3, "…"), ("abc", 3, "abc")]
)
def test_words_are_cut_between_letters(text: str, columns: int, expected: str) -> None:
    assert fitted(text, columns) == expected
    assert widest(expected) <= columns


def test_widest_counts_spacing_vowel_signs_and_not_hasanta() -> None:
    assert (cell_len("কা"), widest("কা")) == (1, 2)
    assert widest("কি") == 2
    assert widest("ক্ষ") == 2
    assert widest("র‍্য") == 2


def test_a_post_is_coloured_word_by_word(words: Any) -> None:
    text = "তোর  স্ত্রী,\nমূর্খ!"
    drawn = post_line(words(text, 1), text=text)
    assert drawn.plain.startswith(text + "\nword ")
    assert "special −0.100" in drawn.plain
    coloured = {drawn.plain[span.start : span.end]: span.style for span in drawn.spans}
    assert {"তোর", "স্ত্রী", "মূর্খ"} <= set(coloured)
    assert all("rgb" in str(coloured[word]) or "#" in str(coloured[word]) for word in ("তোর", "স্ত্রী"))


@pytest.mark.parametrize(
    ("value", "signed", "expected"),
    [
        (0.4116, True, "+0.412"),
        (-12.345, False, "−12.3"),
        (0.0, True, "0"),
        (None, False, "–"),
        (float("nan"), True, "NaN"),
        (1.2345e-7, False, "1.23×10⁻⁷"),
        (8087.0, False, "8,087"),
        (float("-inf"), False, "−∞"),
        (-0.00005, True, "−5.00×10⁻⁵"),
    ],
)
def test_numbers_have_three_digits_and_a_true_minus(value: float | None, signed: bool, expected: str) -> None:
    assert figure(value, signed=signed) == expected


def test_shares_are_not_rounded_to_all_or_nothing() -> None:
    assert [share(value) for value in (1.0, 0.99999, 0.5, 0.00001, 0.0, None)] == ["100 %", "> 99.9 %", "50.0 %", "< 0.1 %", "0 %", "–"]
    assert [share(value) for value in (-0.00001, -0.3, -1.5)] == ["> −0.1 %", "−30.0 %", "−150.0 %"]
    assert interval(0.1, None) == "–"
