"""From frames to what the template prints: small plain structures, in order, with honest counts of what is left out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import polars as pl
from markupsafe import Markup

from workbench.graphemes import graphemes
from workbench.viz.data import SIDES, ReportData
from workbench.viz.heatmap import post
from workbench.viz.palette import common_scale, position

#: Longest text shown in full (letters as read); a longer one is cut, and says so.
LONGEST = 3_000
#: HTML of all examples together, in characters: keeps the page below 5 MB with Bengali at three bytes a letter.
BUDGET = 1_200_000
EXAMPLES = 50
TERMS = 15


@dataclass(frozen=True, slots=True)
class Term:
    """A row of a dot plot; places are per cent of the track from -scale to +scale."""

    term: str
    mean: float | None
    low: float | None
    high: float | None
    documents: int
    occurrences: int
    dot: float
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Example:
    """A post with its heatmap and what was predicted for it."""

    identifier: str
    label: str | None
    majority: str | None
    explained: str
    predictions: tuple[tuple[str, float | None, int | None], ...]
    heatmap: Markup
    left_out: int


def term_scale(terms: pl.DataFrame, most: int = TERMS) -> float:
    """One scale for the dot plots of all classes: the farthest end of an interval (or mean) among the terms shown."""
    shown = terms.filter(pl.int_range(pl.len()).over("label", "side") < most)
    return rounded_up(common_scale([value for column in ("mean", "low", "high") for value in shown[column]]))


def rounded_up(value: float) -> float:
    """The next number of few digits, for the end of an axis: 1.87 gives 2."""
    unit = 10.0 ** math.floor(math.log10(value))
    return float(next(step for step in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * unit >= value) * unit)


def term_columns(terms: pl.DataFrame, label: str, scale: float, most: int = TERMS) -> dict[str, list[Term]]:
    """Rows of a class by side, at most `most` each."""
    columns = ("term", "mean", "low", "high", "documents", "occurrences")
    found: dict[str, list[Term]] = {}
    for side in SIDES:
        rows = terms.filter((pl.col("label") == label) & (pl.col("side").cast(pl.String) == side)).head(most)
        found[side] = [_term(*row, scale=scale) for row in rows.select(columns).iter_rows()]
    return found


def _term(term: str, mean: float | None, low: float | None, high: float | None, documents: int, occurrences: int, *, scale: float) -> Term:
    def place(value: float | None) -> float:
        return 50 + 48 * position(value, scale) if value is not None and value == value else 50.0

    left, right = (place(low), place(high)) if low is not None and high is not None else (place(mean), place(mean))
    return Term(str(term), mean, low, high, documents, occurrences, round(place(mean), 2), round(left, 2), round(right - left, 2))


def choose(examples: pl.DataFrame, labels: list[str], most: int = EXAMPLES) -> pl.DataFrame:
    """At most `most` examples, classes in turn so that none is crowded out; ordered by class (as in `labels`), then as given."""
    ranked = examples.with_row_index("_row").with_columns(pl.int_range(pl.len()).over("explained").alias("_turn"))
    taken = ranked.sort("_turn", "_row").head(most)
    place = {label: order for order, label in enumerate(labels)}
    order = [place.get(label, len(labels)) for label in taken["explained"]]
    return taken.with_columns(pl.Series("_class", order, dtype=pl.Int64)).sort("_class", "_row").drop("_row", "_turn", "_class")


def posts(data: ReportData) -> tuple[list[Example], float]:
    """The examples as heatmaps on one scale, which is returned with them."""
    chosen = choose(data.examples, data.classes["label"].to_list())
    shown = data.words.join(chosen.select("identifier"), on="identifier", how="semi")
    scale = common_scale(shown.filter(pl.col("kind").cast(pl.String) == "word")["relevance"])
    words = _by_document(shown)
    tokens = _by_document(data.tokens.join(chosen.select("identifier"), on="identifier", how="semi")) if data.tokens is not None else {}
    predictions = _by_document(data.predictions)
    found: list[Example] = []
    spent = 0
    for row in chosen.iter_rows(named=True):
        key = row["identifier"]
        text, cut = _shortened(row["text"])
        drawn = post(
            _inside(words.get(key, data.words.clear()), len(text)),
            text=text,
            scale=scale,
            tokens=tokens.get(key),
            language=data.language,
        )
        spent += len(drawn)
        if found and spent > BUDGET:
            break
        votes = predictions.get(key, data.predictions.clear()).select("label", "probability", "votes").sort("probability", descending=True)
        found.append(Example(str(row["identifier"]), row["label"], row["majority"], str(row["explained"]), tuple(votes.rows()), drawn, cut))
    return found, scale


def confusion(frame: pl.DataFrame, labels: list[str]) -> list[tuple[str, list[tuple[int, float]]]]:
    """Rows by true label: for each predicted label the documents and their share of the row."""
    counts = {(label, predicted): documents for label, predicted, documents in frame.select("gold", "predicted", "documents").iter_rows()}
    rows = []
    for label in labels:
        numbers = [counts.get((label, predicted), 0) for predicted in labels]
        total = sum(numbers) or 1
        rows.append((label, [(number, number / total) for number in numbers]))
    return rows


def planted(frame: pl.DataFrame) -> tuple[list[str], list[tuple[str, str, list[tuple[float, float, float] | None]]]]:
    """Tasks, and for each method and reading (ranked by signed relevance) the precision@k of each task, least and most over seeds."""
    signed = frame.filter(pl.col("ordering") == "signed")
    tasks = signed["task"].unique(maintain_order=True).to_list()
    found = {
        tuple(row[:3]): row[3:] for row in signed.select("method", "reading", "task", "precision_at_k", "lowest", "highest").iter_rows()
    }
    kinds = dict.fromkeys((method, reading) for method, reading, _ in found)
    return tasks, [(method, reading, [found.get((method, reading, task)) for task in tasks]) for method, reading in kinds]


def failures(frame: pl.DataFrame) -> pl.DataFrame:
    """Documents by stage and error, most frequent first."""
    return (
        frame.group_by("stage", "error")
        .agg(pl.len().alias("documents"))
        .sort("documents", "stage", "error", descending=[True, False, False])
    )


def _by_document(frame: pl.DataFrame) -> dict[object, pl.DataFrame]:
    return {key[0]: part for key, part in frame.partition_by("identifier", as_dict=True, maintain_order=True).items()}


def _shortened(text: str) -> tuple[str, int]:
    """The text, or its first `LONGEST` letters, and how many characters are left out."""
    if len(text) <= LONGEST:
        return text, 0
    spans = graphemes(text[: LONGEST * 8])
    end = spans[min(LONGEST, len(spans)) - 1][1]
    return text[:end], len(text) - end


def _inside(words: pl.DataFrame, length: int) -> pl.DataFrame:
    """Words of a shortened text; the sums beside it stay those of the whole."""
    beyond = pl.col("char_end") > length
    return words.filter(~beyond.fill_null(value=False))
