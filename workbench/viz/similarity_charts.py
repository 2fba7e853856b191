"""Charts of a corpus of pairs: which words carry similarity, for notebooks and for the report.

Frames are the answers of the queries named here, of one model and composite (further columns are ignored; `low` and `high` bound the 95 %
interval over pairs; a share is null where the sum that it is taken of is not positive, and is then not drawn):

* accounts (query `special_share`): `account` (kinds of `workbench.interaction.UNIT_KINDS`, and `rest`), `share`, `low`, `high`: share of
  the summed similarity; all accounts sum to 1, one alone may be negative or above 1.
* pos_pairs (`pos_pairs`): `left_upos`, `right_upos`, `share`, `low`, `high`, `interactions` (cells counted), `pairs` (pairs of texts that
  have one): share of the summed relevance between words; all rows sum to 1. Where order does not matter, one row for both orders. `mean`
  (relevance of one interaction) is shown under the pointer where it is there.
* noun_verb (`noun_noun_verb_verb`): `group` (languages), `classes` (noun–noun, verb–verb …), `share`, `low`, `high`, `pairs`.
* matched_by (`matched_by`): `languages` (en, en-de), `match` (identical, lemma, translation, other), `share`, `low`, `high`, `pairs`.
* insensitivity (`insensitivity`, for one corpus and languages): `contrast` (negation, paraphrase …), `meaning` (`flipped`, `kept`,
  `unrelated`, `other`), `pairs`, `mean`, `low`, `high`: similarity by the model. Points beside it: `contrast`, `similarity`,
  `identifier`, one row a pair.
* differences (`model_difference`): `what`, `name`, `difference`, `low`, `high`, `pairs`: first model minus second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import polars as pl

from workbench.errors import InputError
from workbench.viz.charts import AGAINST, FOR, GREY, SERIES, dressed
from workbench.viz.escape import charted
from workbench.viz.figures import count
from workbench.viz.figures import share as percent
from workbench.viz.palette import STRONGEST, common_scale
from workbench.viz.pieces import require

#: Columns of the frames described above.
SIMILARITY_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "accounts": ("account", "share", "low", "high"),
    "pos_pairs": ("left_upos", "right_upos", "share", "low", "high", "interactions", "pairs"),
    "noun_verb": ("group", "classes", "share", "low", "high", "pairs"),
    "matched_by": ("languages", "match", "share", "low", "high", "pairs"),
    "insensitivity": ("contrast", "meaning", "pairs", "mean", "low", "high"),
    "insensitivity_points": ("contrast", "similarity", "identifier"),
    "differences": ("what", "name", "difference", "low", "high", "pairs"),
}
#: What may stand in one row of a frame only: two rows are answers for two models, corpora or languages.
KEYS: Mapping[str, tuple[str, ...]] = {
    "accounts": ("account",),
    "pos_pairs": ("left_upos", "right_upos"),
    "noun_verb": ("group", "classes"),
    "matched_by": ("languages", "match"),
    "insensitivity": ("contrast",),
    "differences": ("what", "name"),
}
MATCHES = ("identical", "lemma", "translation", "other")
#: Meanings with their colours and shapes.
MEANINGS = {"kept": (AGAINST, "circle"), "flipped": (FOR, "diamond"), "unrelated": (GREY, "square"), "other": ("#cc79a7", "triangle-up")}
#: Classes of words that `noun_verb` shows.
NOUNS_AND_VERBS = ("noun–noun", "verb–verb", "noun–verb")
SHAPES = ("circle", "diamond", "square", "triangle-up", "cross", "triangle-down")


def checked(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """The frame, if it has the columns of `name` and one row a class. Raises InputError where it does not."""
    require(frame, SIMILARITY_COLUMNS[name], name.replace("_", " "))
    keys = KEYS[name]
    if frame.select(keys).is_duplicated().any():
        twice = frame.filter(frame.select(keys).is_duplicated()).select(keys).row(0)
        found = f"{' and '.join(map(str, twice))} in more than one row"
        raise InputError(f"show {name.replace('_', ' ')}", found, "ask for one model, composite, corpus and languages")
    return frame


def pos_heatmap(frame: pl.DataFrame, *, most: int = 9) -> alt.LayerChart:
    """Parts of speech by parts of speech: share of the relevance between words, and below it how many interactions it is made of.

    At most `most` parts of speech are shown, those with the largest summed |share|; how much is left out is said above.
    """
    rows = named(checked(frame, "pos_pairs").drop_nulls("share"), "left_upos", "right_upos")
    sizes = pl.concat([rows.select(pl.col(side).alias("upos"), pl.col("share").abs()) for side in ("left_upos", "right_upos")])
    ranked = sizes.group_by("upos").agg(pl.col("share").sum()).sort("share", "upos", descending=[True, False])["upos"].to_list()
    kept = rows.filter(pl.col("left_upos").is_in(ranked[:most]) & pl.col("right_upos").is_in(ranked[:most]))
    kept = kept.with_columns(
        pl.col("share").map_elements(percent, return_dtype=pl.String).str.replace(" %", "").alias("shown"),
        pl.col("interactions").map_elements(count, return_dtype=pl.String).alias("counted"),
        (pl.col("share") > 0).alias("positive"),
        pl.col("share").abs().alias("size"),
    )
    left_out = 1 - float(kept["share"].sum())
    rest = f"; {percent(left_out)} in {len(ranked) - most} further parts of speech" if len(ranked) > most else ""
    kept, names = _upper(kept, ranked)
    x = alt.X("right_upos:N", sort=ranked, title=names[1], axis=alt.Axis(orient="top", labelAngle=0))
    y = alt.Y("left_upos:N", sort=ranked, title=names[0])
    strength = alt.Scale(domain=[0, common_scale(kept["share"])], range=[0, STRONGEST])
    tooltip: list[str | alt.Tooltip] = ["left_upos", "right_upos", *_tips("share"), "interactions", "pairs"]
    if "mean" in frame.columns:
        tooltip.append(alt.Tooltip("mean", format="+.3", title="mean of one interaction"))
    base = alt.Chart(kept).encode(x=x, y=y)
    cells = base.mark_rect(stroke=GREY, strokeOpacity=0.3, strokeWidth=0.5).encode(
        color=alt.condition("datum.positive", alt.value(FOR), alt.value(AGAINST)),
        opacity=alt.Opacity("size:Q", scale=strength, legend=None),
        tooltip=tooltip,
    )
    shares = base.mark_text(dy=-5, fontSize=12, color="currentColor").encode(text="shown:N", tooltip=tooltip)
    counts = base.mark_text(dy=9, fontSize=9, color="currentColor", opacity=0.65).encode(text="counted:N", tooltip=tooltip)
    width = 58 * min(most, kept["right_upos"].n_unique())
    drawn = dressed(cells + shares + counts, width=width, height={"step": 38})
    title = alt.Title(
        f"per cent of the relevance between words, and interactions{rest}",
        fontSize=11,
        fontWeight="normal",
        anchor="start",
        color="currentColor",
    )
    titled: alt.LayerChart = drawn.properties(title=title)
    return titled


def _upper(rows: pl.DataFrame, ranked: Sequence[str]) -> tuple[pl.DataFrame, tuple[str | None, str | None]]:
    """Rows that stand for both orders above the diagonal, without names of sides; rows of both orders as they are."""
    sides = (pl.col("left_upos"), pl.col("right_upos"))
    turned = rows.select(left_upos=sides[1], right_upos=sides[0]).filter(sides[0] != sides[1])
    if rows.join(turned, on=["left_upos", "right_upos"], how="semi").height:
        return rows, ("first text", "second text")
    places = [side.replace_strict({name: place for place, name in enumerate(ranked)}, return_dtype=pl.Int32) for side in sides]
    after = places[0] > places[1]
    left, right = (pl.when(after).then(one).otherwise(other) for one, other in ((sides[1], sides[0]), (sides[0], sides[1])))
    return rows.with_columns(left_upos=left, right_upos=right), (None, None)


def pos_bars(frame: pl.DataFrame, *, most: int = 14) -> alt.LayerChart:
    """The pairs of parts of speech with the largest |share|, with 95 % intervals over pairs of texts and the number of interactions."""
    rows = named(checked(frame, "pos_pairs").drop_nulls("share"), "left_upos", "right_upos")
    counted = pl.col("interactions").map_elements(count, return_dtype=pl.String)
    rows = rows.with_columns(pl.format("{}–{} ({})", "left_upos", "right_upos", counted).alias("classes"))
    shown = rows.sort(pl.col("share").abs(), "classes", descending=[True, False]).head(most)
    return _intervals(shown, "classes", shown["classes"].to_list())


def noun_verb(frame: pl.DataFrame, classes: Sequence[str] = NOUNS_AND_VERBS) -> alt.LayerChart:
    """Noun–noun against verb–verb and noun–verb (or other `classes`) by group, with 95 % intervals."""
    rows = named(checked(frame, "noun_verb").drop_nulls("share"), "group", "classes").filter(pl.col("classes").is_in(classes))
    kinds = [name for name in classes if name in rows["classes"]]
    return _intervals(rows, "group", rows["group"].unique(maintain_order=True).to_list(), "classes", kinds)


def matched_by(frame: pl.DataFrame) -> alt.LayerChart:
    """What the two words of an interaction have in common, by languages, with 95 % intervals."""
    rows = named(checked(frame, "matched_by").drop_nulls("share"), "languages", "match")
    known = rows["match"].unique(maintain_order=True).to_list()
    kinds = [match for match in MATCHES if match in known] + [match for match in known if match not in MATCHES]
    return _intervals(rows, "languages", rows["languages"].unique(maintain_order=True).to_list(), "match", kinds)


def account_bars(frame: pl.DataFrame, names: Mapping[str, str]) -> alt.LayerChart:
    """Share of the similarity by account (words, special tokens, positions, biases), with 95 % intervals; `names` are what readers see."""
    rows = checked(frame, "accounts").drop_nulls("share").with_columns(pl.col("account").cast(pl.String).replace(dict(names)))
    rows = named(rows, "account")
    order = [name for name in names.values() if name in rows["account"]]
    order += [name for name in rows["account"] if name not in order]
    return _intervals(rows, "account", order, title="share of the similarity")


def insensitivity(frame: pl.DataFrame, points: pl.DataFrame | None = None) -> alt.LayerChart:
    """Similarity by kind of contrast: where the meaning flips (orange diamonds) and where it is kept (blue circles), with 95 % intervals.

    A model that heeds meaning has all orange left of all blue. `points` adds each pair as a tick.
    """
    rows = named(checked(frame, "insensitivity"), "contrast", "meaning")
    rows = rows.with_columns(pl.format("{} ({})", "contrast", pl.col("pairs").map_elements(count, return_dtype=pl.String)).alias("kind"))
    order = rows.sort("mean", descending=True)["kind"].to_list()
    y = alt.Y("kind:N", sort=order, title=None)
    found = rows["meaning"].unique(maintain_order=True).to_list()
    meanings = [name for name in MEANINGS if name in found] + [name for name in found if name not in MEANINGS]
    looks = [MEANINGS.get(name, MEANINGS["other"]) for name in meanings]
    legend = alt.Legend(symbolOpacity=1, titleOrient="left")
    colours = alt.Scale(domain=meanings, range=[colour for colour, _ in looks])
    colour = alt.Color("meaning:N", scale=colours, title="meaning", legend=legend)
    shapes = alt.Scale(domain=meanings, range=[shape for _, shape in looks])
    shape = alt.Shape("meaning:N", scale=shapes, title="meaning", legend=legend)
    title = "similarity by the model, mean and 95 % interval over pairs"
    base = alt.Chart(rows).encode(y=y, color=colour)
    x = alt.X("low:Q", title=title, scale=alt.Scale(zero=False, nice=True), axis=alt.Axis(tickCount=6))
    layers = base.mark_rule(strokeWidth=2.2).encode(x=x, x2="high:Q")
    tooltip = ["contrast", "meaning", "pairs", *_tips("mean", ".3")]
    dots = base.mark_point(filled=True, size=80, opacity=1).encode(x="mean:Q", shape=shape, tooltip=tooltip)
    if points is None:
        return dressed(layers + dots, width=420, height={"step": 26})
    require(points, SIMILARITY_COLUMNS["insensitivity_points"], "pairs of a contrast")
    single = named(points, "contrast", "identifier").join(rows.select("contrast", "kind", "meaning"), on="contrast")
    ticks = alt.Chart(single).mark_tick(thickness=1.4, opacity=0.45, height=16)
    ticks = ticks.encode(x="similarity:Q", y=y, color=colour, tooltip=["identifier", alt.Tooltip("similarity", format=".3")])
    return dressed(ticks + layers + dots, width=420, height={"step": 26})


def model_difference(frame: pl.DataFrame, what: str = "upos", *, first: str, second: str, most: int = 12) -> alt.LayerChart:
    """Shares of the first model minus those of the second (orange: the first has more), with 95 % intervals over pairs of texts.

    `what` is `upos`, `match` or `account`; the classes with the largest |difference| are shown.
    """
    rows = checked(frame, "differences").filter(pl.col("what").cast(pl.String) == what).drop_nulls("difference")
    shown = named(rows, "name").sort(pl.col("difference").abs(), "name", descending=[True, False]).head(most)
    title = f"share: {charted(first)} minus {charted(second)}"
    return _intervals(shown.rename({"difference": "share"}), "name", shown["name"].to_list(), title=title)


def _intervals(
    rows: pl.DataFrame,
    group: str,
    order: list[str],
    series: str | None = None,
    names: list[str] | None = None,
    *,
    title: str = "share of the relevance between words",
) -> alt.LayerChart:
    """Dots with intervals, one line a group; series differ in colour, shape and place."""
    y = alt.Y(f"{group}:N", sort=order, title=None)
    x = alt.X("share:Q", title=f"{title}, 95 % interval", axis=alt.Axis(format="%", tickCount=6, labelFlush=False))
    tooltip: list[str | alt.Tooltip] = [group, *_tips("share"), *[name for name in ("pairs", "interactions") if name in rows.columns]]
    base = alt.Chart(rows)
    zero = alt.Chart(pl.DataFrame({"zero": [0.0]})).mark_rule(color=GREY, strokeWidth=1).encode(x="zero:Q")
    if series is None or names is None:
        colour = alt.condition("datum.share > 0", alt.value(FOR), alt.value(AGAINST))
        bars = base.mark_rule(strokeWidth=2, opacity=0.55).encode(
            x=alt.X("low:Q", title=f"{title}, 95 % interval"), x2="high:Q", y=y, color=colour
        )
        dots = base.mark_point(filled=True, size=55, opacity=1).encode(x=x, y=y, color=colour, tooltip=tooltip)
        return dressed(zero + bars + dots, width=330, height={"step": 19})
    offset = alt.YOffset(f"{series}:N", sort=names, scale=alt.Scale(paddingOuter=0.35))
    colours = alt.Scale(domain=names, range=[SERIES[place % len(SERIES)] for place in range(len(names))])
    shapes = alt.Scale(domain=names, range=[SHAPES[place % len(SHAPES)] for place in range(len(names))])
    coded = {"y": y, "yOffset": offset, "color": alt.Color(f"{series}:N", scale=colours, title=None)}
    bars = base.mark_rule(strokeWidth=1.8, opacity=0.7).encode(x=alt.X("low:Q", title=f"{title}, 95 % interval"), x2="high:Q", **coded)
    dots = base.mark_point(filled=True, size=50, opacity=1).encode(
        x=x, shape=alt.Shape(f"{series}:N", scale=shapes, title=None), tooltip=[series, *tooltip], **coded
    )
    return dressed(zero + bars + dots, width=330, height={"step": 13})


def _tips(value: str, form: str = "+.1%") -> list[alt.Tooltip]:
    return [alt.Tooltip(column, format=form, title=name) for column, name in ((value, value), ("low", "from"), ("high", "to"))]


def named(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """Names as text without hidden controls, none as a dash."""
    text = (pl.col(column).cast(pl.String).fill_null("–").map_elements(charted, return_dtype=pl.String) for column in columns)
    return frame.with_columns(*text)
