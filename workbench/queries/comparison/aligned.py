"""The same words, or characters, under two readings: relevance of both sides side by side, sums conserved."""

from __future__ import annotations

from typing import Literal, TypeAlias

import polars as pl

from workbench.errors import StoreError
from workbench.queries.comparison.ground import COLUMNS, SCHEMA, over_characters, over_words
from workbench.queries.comparison.side import Side, of_side

Ground: TypeAlias = Literal["word", "character"]

WORDS = """
SELECT c.pair, w.kind::VARCHAR AS kind, w.word, w.form, w.lemma, w.upos, w.relevance::DOUBLE AS relevance
FROM compared c JOIN word_relevance w ON w.explanation = c.explanation ORDER BY c.pair, w.kind, w.word"""
SPANS = """
SELECT c.pair, w.word, s.char_start::BIGINT AS char_start, s.char_end::BIGINT AS char_end
FROM compared c JOIN word_relevance w ON w.explanation = c.explanation
JOIN words s ON s.document = w.document AND s.role = w.role AND s.word = w.word WHERE w.kind = 'word' ORDER BY c.pair, w.word"""
TEXTS = "SELECT c.pair, t.text FROM compared c JOIN segments t ON t.document = c.document AND t.role = c.role ORDER BY c.pair"
#: The tokens of an explanation; those of an ensemble are its members', each with its part of the mean.
TOKENS = """
WITH owned AS (
    SELECT c.pair, e.explanation, count(*) OVER (PARTITION BY c.pair) AS members
    FROM compared c JOIN explanations e ON e.explanation = c.explanation OR e.member_of = c.explanation
    WHERE e.explanation IN (SELECT explanation FROM token_relevance)
)
SELECT o.pair, CASE WHEN t.special THEN 0 ELSE t.char_start END::BIGINT AS char_start,
       CASE WHEN t.special THEN 0 ELSE t.char_end END::BIGINT AS char_end, t.relevance::DOUBLE / o.members AS relevance
FROM owned o JOIN token_relevance t ON t.explanation = o.explanation ORDER BY ALL"""
WORD = pl.col("kind") == "word"


def paired(first: Side, second: Side) -> pl.DataFrame:
    """Explanations of the same text for the same class on both sides: pair, and first_… and second_… explanation, document, target_value.

    Documents meet by corpus and identifier, or by identifier alone where the sides share no corpus. StoreError where none meet.
    """
    ours, theirs = first.explanations, second.explanations
    shared = bool(set(ours["corpus"]) & set(theirs["corpus"]))
    key = [*(["corpus"] if shared else []), "identifier", "role", "label", "target"]
    both = ours.join(theirs, on=key, how="inner", suffix="_second", nulls_equal=True, maintain_order="left")
    if both.is_empty():
        found = f"no document that {first.shown} and {second.shown} explain for the same class and target"
        raise StoreError("compare two sides", found, "explain the same corpus on both sides: workbench run")
    if len(both) > min(both["explanation"].n_unique(), both["explanation_second"].n_unique()):
        raise StoreError("compare two sides", "a text that is explained several times on one side", "choose one run: run=…")
    own = ["explanation", "document", "target_value"]
    renamed = {name: f"first_{name}" for name in own} | {f"{name}_second": f"second_{name}" for name in own}
    shown = both.with_row_index("pair").with_columns(pl.col("pair").cast(pl.Int32)).rename(renamed)
    return shown.select("pair", "corpus", "identifier", "role", "label", "target", "gold", *renamed.values())


def aligned(first: Side, second: Side, pairs: pl.DataFrame, ground: Ground = "word") -> pl.DataFrame:
    """One row a word of the first side (or stretch of characters) with its relevance on both sides, null where a side did not see it.

    Columns: `COLUMNS`; kind `word`, or `outside` for all else of a text (special tokens, tokens outside words, characters that only one
    side has), so that both sums of a pair are those of its explanations.
    """
    if ground == "character":
        texts = texts_of(first, second, pairs)
        return in_order(over_characters(texts, of_side(first, pairs, "first", TOKENS), of_side(second, pairs, "second", TOKENS)))
    return words(first, second, pairs)


def words(first: Side, second: Side, pairs: pl.DataFrame) -> pl.DataFrame:
    """By the number of the word where both sides have the same words, by characters where they have not."""
    ours, theirs = of_side(first, pairs, "first", WORDS), of_side(second, pairs, "second", WORDS)
    if first.store is second.store:
        return in_order([of_numbers(ours, theirs)])
    texts, spans = texts_of(first, second, pairs), [of_side(first, pairs, "first", SPANS), of_side(second, pairs, "second", SPANS)]
    apart = differing(texts, *spans)
    here = pl.col("pair").is_in(apart.implode())
    found = [of_numbers(ours.filter(~here), theirs.filter(~here))]
    if len(apart):
        both = [
            frame.filter(WORD & here).join(places, on=["pair", "word"], maintain_order="left")
            for frame, places in ((ours, spans[0]), (theirs, spans[1]))
        ]
        beyond = outside(ours.filter(~WORD & here), theirs.filter(~WORD & here))
        found += [*over_words(texts.filter(here), *both), beyond]
    return in_order(found)


def of_numbers(ours: pl.DataFrame, theirs: pl.DataFrame) -> pl.DataFrame:
    """Words that have the same number on both sides, and what is of no word."""
    named = ["form", "lemma", "upos"]
    mine = ours.filter(WORD).select("pair", "word", *named, pl.col("relevance").alias("first"))
    its = theirs.filter(WORD).select("pair", "word", *named, pl.col("relevance").alias("second"))
    met = mine.join(its, on=["pair", "word"], how="full", coalesce=True, suffix="_second")
    met = met.with_columns(pl.coalesce(name, f"{name}_second").alias(name) for name in named).with_columns(pl.lit("word").alias("kind"))
    return pl.concat([met.select(COLUMNS), outside(ours.filter(~WORD), theirs.filter(~WORD))])


def outside(ours: pl.DataFrame, theirs: pl.DataFrame) -> pl.DataFrame:
    """What is of no word on either side."""
    both = [frame.select("pair", pl.col("relevance").alias(name)) for name, frame in (("first", ours), ("second", theirs))]
    whole = pl.concat(both, how="diagonal").with_columns(pl.lit("outside").alias("kind"))
    return whole.with_columns(pl.lit(None, SCHEMA[name]).alias(name) for name in ("word", "form", "lemma", "upos")).select(COLUMNS)


def in_order(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """One row outside of words for each pair, behind its words."""
    frame = pl.concat(frames)
    beyond = frame.filter(~WORD).group_by("pair", "kind").agg(pl.col("first", "second").sum())
    whole = pl.concat([frame.filter(WORD), beyond], how="diagonal")
    return whole.sort("pair", "kind", "word", descending=[False, True, False], nulls_last=True).select(COLUMNS)


def texts_of(first: Side, second: Side, pairs: pl.DataFrame) -> pl.DataFrame:
    """Both texts of each pair: pair, text, other."""
    return of_side(first, pairs, "first", TEXTS).join(of_side(second, pairs, "second", TEXTS).rename({"text": "other"}), on="pair")


def differing(texts: pl.DataFrame, ours: pl.DataFrame, theirs: pl.DataFrame) -> pl.Series:
    """Pairs whose words do not lie at the same places of the same text."""
    changed = texts.filter(pl.col("text") != pl.col("other"))["pair"]
    key = ["pair", "word", "char_start", "char_end"]
    apart = pl.concat([ours.join(theirs, on=key, how="anti"), theirs.join(ours, on=key, how="anti")])
    return pl.concat([changed, apart["pair"]]).unique().sort()
