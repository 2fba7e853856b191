"""One query with the passages that were found for it: what of each passage met the query, what of the query met each passage.

Frames (further columns are ignored):

* `query_words`: the words of the query: `word`, `char_start`, `char_end` (code points of the query).
* `passages`: in the order of `rank`: `rank`, `identifier`, `score` (the model's similarity), `text`, `relevant` (judged so, not judged
  so, null where nobody judged the query); `verdict` is shown where it is there. Where `text` is one window of a longer passage,
  `window_start` and `window_end` say which (code points of the passage).
* `passage_words`: `identifier`, `char_start`, `char_end`, `relevance`: each word's sum over the query, in units of the score.
* `query_relevance`: `identifier`, `word`, `relevance`: each query word's sum over that passage.
* `windows` (for passages longer than the model reads at once): `identifier`, `char_start`, `char_end`, `score`; the window with the highest
  score is marked as the one that ranked the passage. Windows may overlap; null scores are shown as a dash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import polars as pl
from markupsafe import Markup

from workbench.errors import InputError
from workbench.viz.escape import attribute, escape
from workbench.viz.figures import figure
from workbench.viz.grid import Grid, Key, Unit, scale_legend, table
from workbench.viz.heatmap import post
from workbench.viz.pair import Pair, coloured, sums
from workbench.viz.palette import common_scale
from workbench.viz.pieces import require
from workbench.viz.styles import style

RETRIEVAL_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "query_words": ("word", "char_start", "char_end"),
    "passages": ("rank", "identifier", "score", "text", "relevant"),
    "passage_words": ("identifier", "char_start", "char_end", "relevance"),
    "query_relevance": ("identifier", "word", "relevance"),
    "windows": ("identifier", "char_start", "char_end", "score"),
}
JUDGED = {True: ("✓ judged relevant", "yes"), False: ("✗ not judged relevant", "no"), None: ("nobody judged", "unknown")}


@dataclass(frozen=True, slots=True)
class Retrieval:
    """A query and its passages (columns of the frames: see the module).

    Raises InputError for missing columns, a passage that is there twice, and windows or query words outside of their text.
    """

    query: str
    query_words: pl.DataFrame
    passages: pl.DataFrame
    passage_words: pl.DataFrame
    query_relevance: pl.DataFrame
    windows: pl.DataFrame | None = None
    unit: str = "cosine"
    identifier: str = ""
    query_language: str | None = None
    passage_language: str | None = None

    def __post_init__(self) -> None:
        for name, columns in RETRIEVAL_COLUMNS.items():
            if (frame := getattr(self, name)) is not None:
                require(frame, columns, f"{name.replace('_', ' ')} of a query")
        if self.passages["identifier"].n_unique() != self.passages.height:
            raise InputError("show passages", "the same identifier twice", "give each passage once")
        for start, end in self.query_words.select("char_start", "char_end").iter_rows():
            if start is None or end is None or not 0 <= start <= end <= len(self.query):
                raise InputError(
                    "show a query", f"a word at {start}-{end} of {len(self.query)} characters", "give spans of this very query"
                )
        lengths = dict(self.passages.select("identifier", pl.col("text").str.len_chars()).iter_rows())
        for name, start, end in [] if self.windows is None else self.windows.select("identifier", "char_start", "char_end").iter_rows():
            if name in lengths and not 0 <= start < end <= lengths[name]:
                raise InputError(f"show passage {name}", f"a window at {start}-{end} of {lengths[name]}", "give spans of this very passage")


def retrieval(found: Retrieval, *, scale: float | None = None, title: str = "") -> str:
    """HTML of a query and its passages for a notebook, with legend and its own style; no script.

    `scale` is the relevance of full colour, shared where queries are compared; None takes the largest of this query and its passages.
    """
    end = scale or retrieval_scale([found])
    head = Markup('<p class="heading"><bdi>{}</bdi></p>').format(escape(title)) if title else Markup("")
    parts = (style("heatmap", "interaction"), head, retrieval_legend(end, found.unit), retrieval_view(found, end))
    return str(Markup('<div class="workbench">{}</div>').format(Markup("").join(parts)))


def from_pairs(pairs: Sequence[Pair], about: pl.DataFrame) -> Retrieval:
    """A retrieval from pairs of one query (left) with each of its passages (right), which stand in the order of `rank`.

    `about` has a row for each pair, by its `identifier`: `rank`, `relevant`, and what else the frame of passages may hold (`verdict`,
    `window_start`, `window_end`). Raises InputError where pairs have several queries, or one is not in `about`.
    """
    require(about, ("identifier", "rank", "relevant"), "passages of a query")
    if len(queries := {pair.left_text for pair in pairs}) != 1:
        raise InputError("show a query with its passages", f"pairs of {len(queries)} queries", "give the pairs of one query")
    if missing := {pair.identifier for pair in pairs} - set(about["identifier"].to_list()):
        raise InputError("show passages", f"no row about {', '.join(sorted(missing)[:3])}", "give rank and judgement of every pair")
    texts = pl.DataFrame(
        [(pair.identifier, pair.similarity, pair.right_text) for pair in pairs],
        schema={"identifier": pl.String, "score": pl.Float64, "text": pl.String},
        orient="row",
    )
    totals = [(pair.identifier, word, value) for pair in pairs for (_, word), value in sums(pair, "left").items() if word is not None]
    first = pairs[0]
    return Retrieval(
        first.left_text,
        first.left_words,
        texts.join(about, on="identifier", how="left").sort("rank"),
        pl.concat(
            [coloured(pair, "right").with_columns(pl.lit(pair.identifier).alias("identifier")) for pair in pairs], how="diagonal_relaxed"
        ),
        pl.DataFrame(totals, schema={"identifier": pl.String, "word": pl.Int64, "relevance": pl.Float64}, orient="row"),
        unit=first.unit,
        query_language=first.left_language,
        passage_language=first.right_language,
    )


def retrieval_view(found: Retrieval, scale: float) -> Markup:
    """The query, what of it met which passage, and every passage; without legend and style, for a page that has both once."""
    query = Markup('<p class="query"><span class="quiet">query</span> <bdi{}>{}</bdi></p>').format(
        _language(found.query_language), escape(found.query)
    )
    passages = Markup("").join(_passage(found, row, scale) for row in found.passages.sort("rank").iter_rows(named=True))
    return Markup('<div class="retrieval">{}{}{}</div>').format(query, _by_passage(found, scale), passages)


def retrieval_legend(scale: float, unit: str = "cosine") -> Markup:
    """The scale, and what the marks of windows mean."""
    return scale_legend(scale, unit, raises="raises the score", lowers="lowers")


def retrieval_scale(found: list[Retrieval]) -> float:
    """One scale for all queries of a page: the largest |sum| of a word of a query or a passage."""
    frames = [frame for one in found for frame in (one.passage_words, one.query_relevance)]
    return common_scale(value for frame in frames for value in frame["relevance"])


def _by_passage(found: Retrieval, scale: float) -> Markup:
    """Query words down, passages by rank across: why one passage stands before another."""
    words = found.query_words.sort("char_start").select("word", "char_start", "char_end").iter_rows()
    rows = [Unit("word", word, found.query[start:end]) for word, start, end in words]
    ranked = found.passages.sort("rank")
    columns = [Unit("word", rank, f"{rank}", str(name)) for rank, name in ranked.select("rank", "identifier").iter_rows()]
    ranks = dict(ranked.select("identifier", "rank").iter_rows())
    cells: dict[tuple[Key, Key], float | None] = {}
    totals: dict[Key, float] = {}
    for name, word, relevance in found.query_relevance.select(RETRIEVAL_COLUMNS["query_relevance"]).iter_rows():
        if name not in ranks:
            continue
        column: Key = ("word", ranks[name])
        cells[("word", word), column] = relevance
        totals[column] = totals.get(column, 0.0) + (relevance or 0.0)
    if not cells:
        return Markup("")
    drawn = table(Grid(rows, columns, cells, None, totals, row_language=found.query_language), scale)
    said = "What each word of the query adds to the score of each passage (by rank); the query's own positions and biases are left out."
    return Markup('<details open><summary>query words by passage</summary><p class="sums">{}</p>{}</details>').format(said, drawn)


def _passage(found: Retrieval, row: dict[str, object], scale: float) -> Markup:
    name, text = row["identifier"], str(row["text"])
    words = found.passage_words.filter(pl.col("identifier") == name).with_columns(pl.lit("word").alias("kind"))
    relevant = row["relevant"]
    said, kind = JUDGED[None if relevant is None else bool(relevant)]
    verdict = Markup(" (<bdi>{}</bdi>)").format(escape(row["verdict"])) if row.get("verdict") else ""
    score = row["score"] if isinstance(row["score"], float | int) else None
    about = Markup(
        '<p class="about"><b>{}</b><span>score <b class="number">{}</b></span><span class="judged {}">{}{}</span>'
        '<span class="identifier"><bdi>{}</bdi></span></p>'
    ).format(row["rank"], figure(score), kind, said, verdict, escape(name))
    if row.get("window_start") is not None:
        place = f"window: characters {row['window_start']} to {row.get('window_end')}"
        about += Markup('<p class="windows"><span class="window best">{}</span></p>').format(place)
    windows = found.windows.filter(pl.col("identifier") == name) if found.windows is not None else None
    if windows is None or windows.height < 2:
        return Markup('<article class="passage">{}{}</article>').format(
            about, post(words, text=text, scale=scale, language=found.passage_language)
        )
    return Markup('<article class="passage">{}{}</article>').format(about, _windows(windows, words, text, scale, found.passage_language))


def _windows(windows: pl.DataFrame, words: pl.DataFrame, text: str, scale: float, language: str | None) -> Markup:
    """The passage cut where a window begins; each part bears the name and score of the windows that begin there."""
    ordered = windows.sort("char_start", "char_end").with_row_index("window", offset=1)
    best = ordered["score"].arg_max()
    cuts = sorted({0, len(text), *ordered["char_start"].to_list()})
    drawn: list[Markup] = []
    for start, end in pairwise(cuts):
        begun = ordered.filter(pl.col("char_start") == start).iter_rows(named=True)
        marks = Markup("").join(
            Markup('<span class="window{}" title="{}">window {} of {}, score <b class="number">{}</b>{}</span>').format(
                " best" if best is not None and one["window"] == best + 1 else "",
                attribute(f"characters {one['char_start']} to {one['char_end']}"), one["window"], len(ordered), figure(one["score"]),
                ", ranked by this" if best is not None and one["window"] == best + 1 else "",
            )
            for one in begun
        )  # fmt: skip
        inside = words.filter((pl.col("char_start") >= start) & (pl.col("char_start") < end))
        shifted = inside.with_columns(pl.col("char_start") - start, pl.min_horizontal("char_end", pl.lit(end)) - start)
        drawn.append(
            Markup('<p class="windows">{}</p>{}').format(marks, post(shifted, text=text[start:end], scale=scale, language=language))
        )
    return Markup("").join(drawn)


def _language(name: str | None) -> Markup:
    return Markup(' lang="{}"').format(attribute(name)) if name else Markup("")
