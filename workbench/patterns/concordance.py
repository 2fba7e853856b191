"""Hits in their context (KWIC): the words before, the match, the words after, each with its relevance."""

from __future__ import annotations

import polars as pl

from workbench.errors import InputError
from workbench.patterns.find import Hits
from workbench.patterns.texts import spans
from workbench.store import Store

#: Words of context on each side.
WIDTH = 8
PARTS = ("left", "match", "right")
CONTEXT = """
WITH here AS (
    SELECT s.hit, s.slot, s.document, s.role, x.word, x.form, x.char_start, x.char_end, w.relevance,
           CASE WHEN x.word < s.first THEN 'left' WHEN x.word > s.last THEN 'right' ELSE 'match' END AS part
    FROM pattern_spans s
    JOIN words x ON x.document = s.document AND x.role = s.role AND x.word BETWEEN s.first - $width::INTEGER AND s.last + $width::INTEGER
    LEFT JOIN word_relevance w ON w.explanation = s.explanation AND w.document = s.document AND w.word = x.word
), grouped AS (
    SELECT hit, slot, document, role, part, min(char_start) AS char_start, max(char_end) AS char_end,
           list(form ORDER BY word) AS words, list(relevance ORDER BY word) AS relevances
    FROM here GROUP BY ALL
)
SELECT g.hit, g.slot, g.role, g.part, g.words, g.relevances, substring(t.text, g.char_start + 1, g.char_end - g.char_start) AS text
FROM grouped g JOIN segments t ON t.document = g.document AND t.role = g.role
"""


def concordance(store: Store, hits: Hits, *, width: int = WIDTH) -> pl.DataFrame:
    """Each hit with `width` words on both sides, in the order of the hits: by relevance, unless `find` was asked for another.

    Columns: hit (row of `hits.frame`), document, identifier, role, explained, relevance (of the match); left, match and right as written;
    left_words, match_words, right_words and left_relevances, match_relevances, right_relevances as lists, None for a word that the model
    did not see. A hit of a pair has a row for each of its two texts.
    """
    if not 0 <= width <= 1000:
        raise InputError("show hits in context", f"a width of {width} words", "give a width from 0 to 1000")
    columns = [name for name in ("document", "identifier", "role", "explained", "relevance") if name in hits.frame.columns]
    frame = hits.frame.with_row_index("hit")
    slots = {"match": 0, "right": 1} if hits.is_pair else {"match": 0}
    with spans(store, frame, slots, pair=hits.is_pair):
        found = store.sql(CONTEXT, {"width": width})
    rows = frame.select("hit", *columns)
    if hits.is_pair:  # the role of each text instead of that of the pair
        roles = found.select("hit", "slot", "role").unique()
        rows = rows.drop("role").join(roles, on="hit", how="left", maintain_order="left").sort("hit", "slot", maintain_order=True)
    else:
        rows = rows.with_columns(slot=pl.lit("match"))
    for part in PARTS:
        own = found.filter(pl.col("part") == part).select(
            "hit",
            "slot",
            pl.col("text").alias(part),
            pl.col("words").alias(f"{part}_words"),
            pl.col("relevances").alias(f"{part}_relevances"),
        )
        rows = rows.join(own, on=["hit", "slot"], how="left", maintain_order="left")
    texts = [pl.col(part).fill_null("") for part in PARTS]
    empty = [pl.col(f"{part}_{what}").fill_null(pl.lit([], dtype=found.schema[what])) for part in PARTS for what in ("words", "relevances")]
    order = ["hit", *columns, *PARTS, *(f"{part}_{what}" for what in ("words", "relevances") for part in PARTS)]
    return rows.with_columns(*texts, *empty).select(order)
