"""Every mistake in a pattern is one error that points at its place; nothing in a pattern reaches SQL as SQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from tests.patterns import corpus
from workbench.errors import InputError, StoreError, WorkbenchError
from workbench.patterns import as_pattern, find, sql_of
from workbench.patterns.find import limited
from workbench.store import Store

#: Pattern, place of the caret (^ stands in front of the character that it points at), what is said.
MISTAKES = [
    ('[upos="ADJ" & ^relevnce>0.1]', "relevnce is no attribute of a word", "use form, lemma, upos"),
    ('[upos="ADJ"^', "ends too early", "]"),
    ('[upos=^"NOUN]', "a quote that is never closed", "a text in quotes"),
    ("[upos=^NOUN]", "NOUN stands without quotes", 'write "NOUN"'),
    ("^good", "good stands without quotes", '"good"'),
    ("^নেতা", "নেতা stands without quotes", '"নেতা"'),
    ('"very" ^good', "good stands without quotes", '"good"'),
    ('[form^=="good"]', "== is no comparison", "one equals sign"),
    ('"a"^%x', "%x is no flag", "%c"),
    ('"a"^%', "% is no flag", "%c"),
    ('[relevance>^"0.1"]', "a number is compared with a text", "without quotes"),
    ('[upos^>"A"]', "neither greater nor less", "= or !="),
    ("[upos^=3]", "a text with a number", ""),
    ("[^3]", "this is a value, no condition", "relevance>0.1"),
    ('[^"good"]', "this is a value, no condition", "compare it"),
    ("[relevance > ^lemma + 1]", "cannot be reckoned with", ""),
    ("[^POS=\"NOUN\"]", "POS is no feature", "upos"),
    ('[relevance>1] []^{3,1}', "ends before it begins", "smaller number first"),
    ('[relevance>1] []^{0}', "ends before it begins", ""),
    ('[relevance>1] []^{1,2,3}', "is no repetition", "{1,3}"),
    ('[relevance>1] []^{99}', "more than 50 times", "50"),
    ('"a" within ^paragraph', "paragraph is no scope", "within sentence"),
    ('"a" "b" ^) "c"', "cannot stand here", "expected here"),
    ("^[]", "matches every word", "relevance>0.1"),
    ('^[]{1,3} | "a"', "matches every word", ""),
    ("^_ --> _", "matches every arc", "-amod->"),
    ('^![]', "no word at all", ""),
    ('"a" "b" -obj-> "c"', "joins single words", "-nsubj-> a:[]"),
    ('"a" !-obj-> ^b:[]', "would name a word that is not there", ""),
    ('a:[] b:"x" :: ^c.relevance > 0', "no capture is called c", "captures here: a, b"),
    ('a:[] "x" :: a.relevance > ^relevance', "relevance of which capture", "match.relevance"),
    ('a:[] "x" :: ^a.colour = "red"', "colour is no attribute", "use form"),
    ('a:([] "x") :: ^a.lemma = "x"', "a may be several words", "relevance, sensitivity"),
    ('a:[] ^a:"x"', "a names two parts", "different"),
    ('(a:"x")^+', "captured inside a repetition", "in front of all"),
    ('^match:"x"', "name of a column already", "another"),
    ('a:"x" ^A:"y"', "differ in case alone", ""),
    ('^a_b:"x"', "cannot be a name", "letters and digits"),
    ('a:"x" :: ^interaction(a, a) > 1', "no function here", "~>"),
    ('a:"x" b:"y" :: ^distance(a) > 1', "takes two captures", "distance(a, b)"),
    ('a:"x" :: ^nothing(a) > 1', "nothing is no function", "distance"),
    ('[^nothing(relevance) > 1]', "no function of a word", "abs"),
    ('[^lexicon="slur"]', "no lexicon comes with the query", "lexicon="),
    ('[^a.relevance > 1]', "a capture inside brackets", "::"),
    ('[relevance > ^1e999]', "out of range", ""),
    ('a:"x" ~> b:"y" :: ^interaction(a, c) > 1', "takes two captures", "a, b"),
    ('a:"x" ~> b:"y" :: ^similarty > 1', "no attribute of a pair", "similarity"),
    ("^_ ~> _", "every pair of words", "interaction"),
    ('[relevance>1]^\0', "U+0000", ""),
    ('[form="^\ud800"]', "U+D800", ""),
]  # fmt: skip


@pytest.mark.parametrize(("marked", "found", "remedy"), MISTAKES)
def test_a_mistake_is_pointed_at(marked: str, found: str, remedy: str) -> None:
    place = marked.find("^")
    pattern = marked.replace("^", "", 1)
    with pytest.raises(InputError) as caught:
        sql_of(pattern)
    assert found in caught.value.found
    assert remedy in caught.value.remedy
    where, line, caret = caught.value.found.split("\n")
    if place >= 0:
        assert where.startswith(f"column {place + 1}")
        assert caret == " " * place + "^"
    assert line.encode("utf-8", "replace") == pattern.encode("utf-8", "replace").replace(b"\0", b"\0")


@pytest.mark.parametrize("expression", ["(", "[z-a]", "(?=x)", r"\1", "*", "(a{1000}){1000}"])
def test_what_is_no_regular_expression_is_pointed_at(expression: str) -> None:
    with pytest.raises(InputError, match="column 7: no regular expression"):
        sql_of(f'[form="{expression}"]')
    assert sql_of(f'[form="{expression}"%l]')


def test_the_caret_stands_under_wide_letters_and_on_the_right_line() -> None:
    with pytest.raises(InputError) as caught:
        sql_of('"ভাত" "日本"\n  [nothing="x"]')
    assert caught.value.found.split("\n")[0].startswith("column 4 of line 2")
    with pytest.raises(InputError) as caught:
        sql_of('"日本" [nothing="x"]')
    assert caught.value.found.split("\n")[2] == " " * 8 + "^"


def test_a_long_pattern_is_shown_around_the_mistake() -> None:
    pattern = '"word" ' * 40 + '[nothing="x"] ' + '"word" ' * 40
    with pytest.raises(InputError) as caught:
        sql_of(pattern)
    _, line, caret = caught.value.found.split("\n")
    assert len(line) < 80
    assert line[caret.index("^") :].startswith("nothing")


@pytest.mark.parametrize("pattern", ["", "   ", "\n"])
def test_an_empty_pattern(pattern: str) -> None:
    with pytest.raises(InputError, match="an empty pattern"):
        sql_of(pattern)


def test_what_is_too_long() -> None:
    with pytest.raises(InputError, match="characters"):
        sql_of('"a"' * 2000)
    with pytest.raises(InputError, match="too long here"):
        sql_of('"a" ' * 70)
    with pytest.raises(InputError, match=r"too many|too long"):
        sql_of("(" * 1900 + '"a"' + ")" * 1900)
    assert len(sql_of('([upos="A"] | "b" "c"){1,10} [upos="N"]+')) < 30_000


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with corpus.store(tmp_path_factory.mktemp("mistakes") / "store.duckdb", corpus.corpus(2, 24)) as opened:
        yield opened


EVIL = [
    "'", "''", "'; DROP TABLE kept.word; --", "' OR 1=1 --", "\\'", "x' UNION SELECT * FROM kept.store --", "$1", "?", "%s", "{0}", "--",
    "/*",
    "E'\\''", "';ATTACH 'x' AS y;--", "\u2019", "a\\\\'b",
]  # fmt: skip


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("flags", ["", "%l", "%cd"])
def test_nothing_in_quotes_is_sql(store: Store, evil: str, flags: str) -> None:
    text = evil if flags == "%l" else "".join(f"\\{sign}" if sign in ".^$*+?()[]{}|" else sign for sign in evil)
    asked = " | ".join(f'{attribute}="{text}"{flags}' for attribute in ("form", "lemma", "features", "Number", "label", "entity"))
    assert find(store, f"[{asked}]").total == 0
    assert find(store, f'a:[form!="{text}"{flags}] :: a.form != "{text}"{flags}', limit=1).total > 50
    lexicon = pl.DataFrame({"term": ["walk", evil.replace(" ", "_") or "x"], "category": ["a", evil]})
    assert find(store, '[lexicon="a"]', lexicon=lexicon).total == find(store, '[form="walk" | lemma="walk"]').total
    assert store.sql("SELECT count(*) AS n FROM words")["n"][0] > 50


@pytest.mark.parametrize("value", EVIL)
def test_nothing_in_a_choice_is_sql(store: Store, value: str) -> None:
    for what in ("model", "composite", "role"):
        with pytest.raises(StoreError, match=f"no {what}"):
            find(store, '"walk"', **{what: value})  # type: ignore[arg-type]
    quoted = value.replace("'", "''")
    assert f"'{quoted}'" in sql_of('"walk"', model=value)
    assert len(store.sql(sql_of('"walk"', model=value))) == 0


def test_wrong_orders_limits_and_lexicons(store: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the order 'size'"):
        find(store, '"walk"', order="size")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="the limit -1"):
        find(store, '"walk"', limit=-1)
    query = '[lexicon="slur"]'
    with pytest.raises(InputError, match="columns word"):
        find(store, query, lexicon=pl.DataFrame({"word": ["a"]}))
    with pytest.raises(InputError, match="no term of one word"):
        find(store, query, lexicon=pl.DataFrame({"term": ["two words"], "category": ["slur"]}))
    with pytest.raises(InputError, match="No such file"):
        find(store, query, lexicon=tmp_path / "nothing.tsv")
    (tmp_path / "wrong.tsv").write_text("one\n")
    with pytest.raises(InputError, match=r"line 1 has 1 column"):
        find(store, query, lexicon=tmp_path / "wrong.tsv")
    (tmp_path / "bytes.tsv").write_bytes(b"\xff\tx\n")
    with pytest.raises(InputError, match="byte 0 is not UTF-8"):
        find(store, query, lexicon=tmp_path / "bytes.tsv")
    with pytest.raises(InputError, match="slur is no category of the lexicon") as caught:
        find(store, query, lexicon=pl.DataFrame({"term": ["walk"], "category": ["motion"]}))
    assert "motion" in caught.value.remedy


def test_a_query_that_takes_too_long_is_given_up(store: Store) -> None:
    endless = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE hash(a.range + b.range) % 7 = 0"
    with pytest.raises(StoreError, match=r"no answer within 0\.05 seconds"), limited(store, 0.05):
        store.sql(endless)
    assert find(store, '"walk"').total > 0  # the store can still be asked


def test_every_mistake_is_of_this_house() -> None:
    for pattern in (
        "[",
        "]",
        "(",
        "::",
        "~>",
        "a:",
        '"a" ::',
        '"a" |',
        "| |",
        "!!",
        '"a" -x',
        "{",
        "%c",
        "within sentence",
        "[a.b.c]",
        "[(]",
    ):
        with pytest.raises(WorkbenchError):
            sql_of(pattern)


@pytest.mark.parametrize("word", ["good", "নেতা", " চোর ", "@News", "#hate", "x-1", "it's", "ক্\u200dষ"])
def test_one_bare_word_is_its_form(word: str) -> None:
    assert as_pattern(word) == f'"{word.strip()}"'
    assert sql_of(as_pattern(word))


@pytest.mark.parametrize("pattern", ['"good"', "[]", "_", "a b", "", "a:[]", "'good'", "@", "good|bad"])
def test_what_is_no_bare_word_stays_as_it_is(pattern: str) -> None:
    assert as_pattern(pattern) == pattern
