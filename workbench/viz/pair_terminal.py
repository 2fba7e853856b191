"""Pairs, corpora of pairs and translations in a terminal, at most 100 columns wide; words that may hold any script stand last.

Frames of `corpus_summary` are those of `similarity_charts`, whose module documents them; pairs and translations those of `pair` and
`contribution_map`.
"""

from __future__ import annotations

import math

import polars as pl
from rich.console import Group, RenderableType
from rich.constrain import Constrain
from rich.style import Style
from rich.text import Text

from workbench.viz.contribution_map import ContributionData, source_shares
from workbench.viz.escape import plain
from workbench.viz.figures import count, figure, interval, share
from workbench.viz.pair import CLOSED, KIND_NAMES, Pair, accounts, between_words, coloured, gap, sum_scale
from workbench.viz.similarity_charts import checked
from workbench.viz.terminal import WIDTH, fitted, table, text_line

#: Eighths of a block, from none to all.
BLOCKS = " ▁▂▃▄▅▆▇█"


def pair_summary(pair: Pair, *, strongest: int = 8, width: int = WIDTH) -> Constrain:
    """A pair: similarity, both texts on the colours of their words' sums (one scale), accounts, and the strongest pairs of words."""
    parts = accounts(pair)
    total = math.fsum(parts.values()) if pair.similarity is None else pair.similarity
    facts = [f"similarity {figure(total)} {pair.unit}", *(f"{name} {value}" for name, value in pair.facts.items())]
    name = f"{pair.identifier}: " if pair.identifier else ""
    scale = sum_scale([pair])
    texts = [
        text_line(coloured(pair, side), text=text, scale=scale) for side, text in (("left", pair.left_text), ("right", pair.right_text))
    ]
    drawn: list[RenderableType] = [Text(fitted(name + " · ".join(facts), width), style="bold"), *texts, _accounts(pair, parts, total)]
    if abs(left := gap(pair)) > CLOSED:
        drawn.append(Text(f"the cells do not sum to the similarity: {figure(left, signed=True)} is in none of them", style="bold red"))
    return Constrain(Group(*drawn, *_strongest(pair, strongest, width)), width)


def corpus_summary(
    *,
    pairs: int,
    similarity: float,
    accounts: pl.DataFrame,
    pos_pairs: pl.DataFrame | None = None,
    matched_by: pl.DataFrame | None = None,
    insensitivity: pl.DataFrame | None = None,
    rows: int = 8,
    unit: str = "cosine",
) -> Constrain:
    """A corpus of pairs: number and mean similarity, share of each account, matches by languages, parts of speech, and contrasts."""
    parts = dict(checked(accounts, "accounts").select(pl.col("account").cast(pl.String), "share").iter_rows())
    listed = " · ".join(f"{name} {share(parts[kind])}" for kind, name in KIND_NAMES.items() if kind in parts)
    drawn: list[RenderableType] = [
        Text(f"{count(pairs)} pairs, mean similarity {figure(similarity)} {plain(unit)}", style="bold"),
        Text(plain(listed)),
    ]
    if matched_by is not None:
        drawn += _titled(
            _shares(checked(matched_by, "matched_by"), "pairs", "languages", "match"), "relevance between words by what they have in common"
        )
    if pos_pairs is not None:
        ranked = checked(pos_pairs, "pos_pairs").sort(pl.col("share").abs(), descending=True, nulls_last=True).head(rows)
        title = f"relevance between words by parts of speech ({len(ranked)} of {len(pos_pairs)} pairs)"
        drawn += _titled(_shares(ranked, "interactions", "left_upos", "right_upos"), title)
    if insensitivity is not None:
        ordered = checked(insensitivity, "insensitivity").sort("mean", descending=True)
        shown = ordered.select(
            pl.col("mean").alias("similarity"),
            _interval(ordered).alias("95 % interval"),
            "pairs",
            pl.col("meaning"),
            pl.col("contrast"),
        )
        drawn += _titled(shown, "similarity by contrast: is it lower where the meaning flips?")
    return Constrain(Group(*drawn), WIDTH)


def translation_strip(translation: ContributionData, *, width: int = WIDTH) -> Constrain:
    """The output, each word followed by a block as high as the share of the source, and the mean and least share."""
    rows = source_shares(translation)
    line = Text(overflow="fold")
    for form, value in rows.select("form", "source_share").iter_rows():
        known = value is not None and math.isfinite(value)
        block = BLOCKS[max(0, min(8, round(8 * value)))] if known else "?"
        line.append(plain(form))
        line.append(block, style=Style(color="#009e73", bgcolor="#e8e4da"))
        line.append(" ")
    later = rows.slice(1).drop_nulls("source_share").sort("source_share", maintain_order=True)
    name = f"{translation.identifier}: " if translation.identifier else ""
    facts = " · ".join(f"{key} {value}" for key, value in translation.facts.items())
    said = "no word after the first"
    if len(later):
        mean = math.fsum(later["source_share"]) / len(later)
        said = f"share of the source from the second word on: mean {share(mean, 0)}, least {share(later['source_share'][0], 0)}"
        said += f" ({later['form'][0]})"
    head = [Text(fitted(name + facts, width), style="bold")] if name or facts else []
    source = Text(" ".join(plain(form) for form in translation.sources.sort("place")["form"]), style="dim")
    return Constrain(Group(*head, source, line, Text(fitted(said, width))), width)


def translation_summary(translation: ContributionData, *, strongest: int = 8, width: int = WIDTH) -> Constrain:
    """A translation: its strip, and the words of the source that gave most to a word of the output."""
    sources = dict(translation.sources.select("place", "form").iter_rows())
    steps = dict(translation.steps.select("step", "form").iter_rows())
    between = translation.cells.filter(pl.col("kind").cast(pl.String) == "source").with_columns(pl.col("relevance").cast(pl.Float64))
    shown = between.sort(pl.col("relevance").abs(), "step", "place", descending=[True, False, False]).head(strongest)
    frame = pl.DataFrame(
        {
            translation.unit: [figure(value, signed=True) for value in shown["relevance"]],
            "words": [f"{steps[step]} ← {sources[place]}" for step, place in shown.select("step", "place").iter_rows()],
        },
        schema={translation.unit: pl.String, "words": pl.String},
    )
    title = f"{len(shown)} of {count(len(between))} contributions of the source"
    rows = _titled(frame, title, width) if len(shown) else []
    return Constrain(Group(translation_strip(translation, width=width), *rows), width)


def _accounts(pair: Pair, parts: dict[str, float], total: float) -> Text:
    listed = " · ".join(
        f"{KIND_NAMES[kind]} {figure(value, signed=True)}" + (f" ({share(value / total, 0)})".replace(" %", "%") if total > 0 else "")
        for kind, value in parts.items()
    )
    return Text(f"{listed} = {figure(math.fsum(parts.values()))} {plain(pair.unit)}", style="dim")


def _strongest(pair: Pair, number: int, width: int) -> list[RenderableType]:
    ranked = between_words(pair).filter(pl.col("relevance").is_finite(), pl.col("relevance") != 0)
    if not len(ranked):
        return [Text("no interaction between words")]
    shown = ranked.head(number)
    sizes = [math.fsum(map(abs, frame["relevance"])) for frame in (shown, ranked)]
    upos = [_upos(pair, side) for side in ("left", "right")]
    columns: dict[str, object] = {"relevance": [figure(value, signed=True) for value in shown["relevance"]]}
    for name in {"match", "matched"} & set(shown.columns):
        columns["match"] = [value or "–" for value in shown[name].cast(pl.String)]
    if any(upos):
        columns["parts of speech"] = [
            f"{upos[0].get(one) or '–'}–{upos[1].get(other) or '–'}" for one, other in shown.select("left_word", "right_word").iter_rows()
        ]
    columns["words"] = [f"{one} × {other}" for one, other in shown.select("left_form", "right_form").iter_rows()]
    title = f"{len(shown)} of {count(len(ranked))} interactions of words, {share(sizes[0] / sizes[1])} of their absolute sum"
    return _titled(pl.DataFrame(columns), title, width)


def _titled(frame: pl.DataFrame, title: str, width: int = WIDTH) -> list[RenderableType]:
    """A table under a title of its own line, which may be longer than the table is wide."""
    return [Text(), Text(fitted(title, width), style="bold"), table(frame, title="", width=width)]


def _upos(pair: Pair, side: str) -> dict[int, str | None]:
    words = pair.left_words if side == "left" else pair.right_words
    return dict(words.select("word", "upos").iter_rows()) if "upos" in words.columns else {}


def _shares(frame: pl.DataFrame, number: str, *names: str) -> pl.DataFrame:
    """Share, interval and number, then the names, for a table."""
    return frame.select(
        pl.Series("share", [share(value) for value in frame["share"]], dtype=pl.String),
        pl.Series("95 % interval", [_between(*row) for row in frame.select("low", "high").iter_rows()], dtype=pl.String),
        number,
        *(pl.col(name).cast(pl.String) for name in names),
    )


def _between(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None else f"{share(low)} to {share(high)}"


def _interval(frame: pl.DataFrame) -> pl.Series:
    return pl.Series([interval(low, high) for low, high in frame.select("low", "high").iter_rows()], dtype=pl.String)
