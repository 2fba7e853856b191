"""Collocation of relevance: which words around a node carry more relevance than elsewhere in the same documents.

1. Near are the words around the node (`node`), elsewhere all others of the documents that hold it; the node itself is neither.
2. u[i, d]: what document d adds to the difference of both shares of item i, near minus elsewhere, beyond the share that both have in common
   (or beyond the mean of all its occurrences, where an occurrence is compared with an occurrence).
3. p: sign flips of documents, (1 + flips at least as extreme) / (1 + flips), two-sided (Wu 1986; Phipson and Smyth 2010); an item that
   stands near the node in few documents cannot become significant. q by Benjamini and Hochberg 1995.
4. The null control repeats everything for random nodes: as many words drawn from the same texts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from workbench.errors import InputError
from workbench.patterns.bare import as_pattern
from workbench.patterns.lexicon import Given
from workbench.queries.answer import Answer
from workbench.queries.evidence import Evidence, Lead, value_as_sql
from workbench.queries.keyness.effects import RESAMPLES, contrast, effects
from workbench.queries.keyness.frequency import log_dice
from workbench.queries.keyness.groups import Values
from workbench.queries.keyness.items import Items, items
from workbench.queries.keyness.keys import LEVEL, Side, brief, missing, refuse
from workbench.queries.keyness.leads import ItemEvidence
from workbench.queries.keyness.nearness import judge_near, near_sql, near_table, often
from workbench.queries.keyness.node import ASKED, Around, around, nodes, random_nodes_sql
from workbench.queries.keyness.permutation import PERMUTATIONS, Expected, Judged
from workbench.queries.keyness.table import Numbers, Table
from workbench.queries.opening import opened
from workbench.queries.resampling import interval
from workbench.queries.trust import trust
from workbench.store import Store

if TYPE_CHECKING:
    from altair import LayerChart

#: Sets of random nodes of the null control.
CONTROLS = 10


@dataclass(frozen=True, slots=True)
class Collocates(Answer):
    """Collocates of a node, the most certain first; `nodes` counts its places, `tested` the items that were tested.

    `frame` has item, near_count and elsewhere_count (occurrences), near_documents, shares and lifts near and elsewhere, log_ratio and
    difference with 95 % intervals, null_low and null_high (95 % of the effects of random nodes), mean relevance of an occurrence near and
    elsewhere, frequencies per million, log_likelihood and log_dice of the counts, side, p_value, q_value, significant. `null` has the
    number of items called significant around each set of random nodes.
    """

    nodes: int = 0
    tested: int = 0
    significant: int = 0
    null: tuple[int, ...] = ()

    @property
    def control(self) -> str:
        """The null control in words."""
        found = f"{self.significant:,} of {self.tested:,} significant (q <= {LEVEL})"
        if not self.null:
            return f"{found}; no null control"
        alarms, mean = sum(number > 0 for number in self.null), sum(self.null) / len(self.null)
        return f"{found}; around random nodes {mean:.2g} on average, any in {alarms} of {len(self.null)} sets"

    @property
    def brief(self) -> Answer:
        """The same with the columns that a terminal has room for."""
        return replace(self, frame=brief(self.frame, null="random", besides={"near": "near_count", "logDice": "log_dice"}))

    @property
    def chart(self) -> LayerChart:
        """Effects with intervals, the most certain first."""
        from workbench.viz.effect_charts import effects as drawn

        name = "difference" if self.frame["log_ratio"].null_count() == len(self.frame) else "log_ratio"
        return drawn(self.frame, "item", name, title=self.title, null=("null_low", "null_high"))


def collocates(
    store: Store | str | os.PathLike[str],
    node: str,
    *,
    window: int = 5,
    span: str = "window",
    what: str = "lemma",
    relevance: str = "positive",
    expected: Expected = "share",
    model: str | None = None,
    composite: str | None = None,
    role: str | None = None,
    where: Mapping[str, Values] | None = None,
    lexicon: Given | None = None,
    punctuation: bool = False,
    case: bool = False,
    minimum_documents: int = 3,
    minimum_occurrences: int = 3,
    side: Side = "focus",
    limit: int | None = 50,
    permutations: int = PERMUTATIONS,
    controls: int = CONTROLS,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Collocates:
    """Words (or what else `what` names) that hold more relevance around `node` than elsewhere in the same documents.

    `node` is a word or a pattern of one text in CQL; `span` is window (`window` words on either side, within the sentence), sentence, or
    dependency (heads and dependents, named with their relation). The rest is as for `keyness`. Raises StoreError where nothing is found or
    a choice is missing, InputError for a wrong pattern or choice.
    """
    counted = items(what, lexicon=lexicon, punctuation=punctuation, case=case, asked=ASKED)
    place = around(span, window)
    refuse(ASKED, relevance, expected, side, "certainty", limit, permutations)
    if place.span == "dependency" and what not in ("lemma", "form"):
        raise InputError(ASKED, f"arcs to {counted.plural}", "count lemmas or forms at the other end of an arc")
    pattern = as_pattern(node)
    with opened(store) as reader:
        chosen = nodes(reader, pattern, counted, place, model=model, composite=composite, role=role, kept=where or {}, seed=seed)
        with chosen as found:
            held = near_table(reader, "node_hit", counted, place, relevance)
            random = [
                near_table(reader, f"({random_nodes_sql(seed + number)})", counted, place, relevance) for number in range(1, controls + 1)
            ]
            whole = occurrences(reader, counted, held.items, found.model, found.composite)
        trusted = trust(reader, model=found.model, composite=found.composite)
    tested = often(held, minimum_documents, minimum_occurrences)
    judged = judge_near(tested, expected=expected, permutations=permutations, seed=seed)
    alarms = [
        judge_near(often(other, minimum_documents, minimum_occurrences), expected=expected, permutations=permutations, seed=seed + number)
        for number, other in enumerate(random, start=1)
    ]
    places = shown(judged, side)
    kept = places[:limit] if limit else places
    frame = framed(tested, judged, kept, signed=relevance == "signed", expected=expected, resamples=resamples, seed=seed)
    null = null_range(tested, kept, random, signed=relevance == "signed", expected=expected)
    frame = frame.with_columns(
        pl.Series("null_low", null[0], pl.Float64, nan_to_null=True),
        pl.Series("null_high", null[1], pl.Float64, nan_to_null=True),
        pl.Series(
            "log_dice",
            log_dice(frame["near_count"].to_numpy(), found.count, np.array([whole.get(item, 0) for item in frame["item"]])),
            pl.Float64,
        ),
    )
    answer = Collocates(
        title=f"{counted.plural} {place.name} of {node}: more relevance ({relevance}) than elsewhere, by {expected}",
        frame=frame,
        trust=trusted,
        sql=f"-- node_hit:\n{found.hits};\n-- node_word:\n{found.base};\n{near_sql('node_hit', counted, place, relevance)}",
        method=f"{permutations:,} sign flips and {resamples:,} bootstrap resamples of documents, in Python (workbench.queries.keyness)",
        evidence=NearEvidence("word_relevance", "true", counted=counted, hits=found.hits, place=place, node=pattern),
        total=len(places),
        parameters={"model": found.model, "composite": found.composite, "role": role},
        nodes=found.count,
        tested=len(tested.items),
        significant=int((judged.q_values <= LEVEL).sum()),
        null=tuple(int((other.q_values <= LEVEL).sum()) for other in alarms),
    )
    plural = "place" if found.count == 1 else "places"
    notices = [answer.control, f"the node stands at {found.count:,} {plural} in {found.documents:,} documents"]
    if found.block > 1:
        notices.append(f"documents are drawn together in random blocks of {found.block}")
    return replace(answer, notices=(*notices, *missing(counted, tested, minimum_documents, minimum_occurrences)))


def shown(judged: Judged, side: Side) -> NDArray[np.int64]:
    """Places of the items of a side, the most certain first."""
    chosen = np.arange(len(judged.statistic))
    if side != "both":
        chosen = chosen[judged.statistic > 0] if side == "focus" else chosen[judged.statistic < 0]
    return chosen[np.lexsort((-np.abs(judged.statistic[chosen]), judged.q_values[chosen]))]


def framed(
    table: Table, judged: Judged, places: NDArray[np.int64], *, signed: bool, expected: Expected, resamples: int, seed: int
) -> pl.DataFrame:
    """The rows that are shown: effects under the names near and elsewhere."""
    found = effects(table, places, signed=signed, expected=expected, resamples=resamples, seed=seed)
    names = {name: name.replace("focus_", "near_").replace("reference_", "elsewhere_") for name in found.columns}
    return found.drop("simple_maths").rename({old: new for old, new in names.items() if old != new}).with_columns(
        pl.Series("side", np.where(judged.statistic[places] > 0, "near", "elsewhere"), pl.String),
        pl.Series("statistic", judged.statistic[places], pl.Float64, nan_to_null=True),
        pl.Series("p_value", judged.p_values[places], pl.Float64),
        pl.Series("q_value", judged.q_values[places], pl.Float64),
        pl.Series("significant", judged.q_values[places] <= LEVEL, pl.Boolean),
    )  # fmt: skip


def null_range(
    table: Table, places: NDArray[np.int64], random: Sequence[Table], *, signed: bool, expected: Expected
) -> tuple[Numbers, Numbers]:
    """Between which values 95 % of the effects lie around random nodes; an item that never stands near one has nothing there."""
    whole = [(side[0].sum(1) + side[1].sum(1))[places] for side in (table.mass, table.counts)]
    drawn = []
    for other in random:
        number = {item: place for place, item in enumerate(other.items)}
        found = np.array([number.get(table.items[place], -1) for place in places], dtype=np.int64)
        near = [np.where(found >= 0, np.append(side[1].sum(1), 0.0)[found], 0.0) for side in (other.mass, other.counts)]
        parts = []
        for (mass, count), total in zip(((whole[0] - near[0], whole[1] - near[1]), near), other.total, strict=True):
            parts.append((mass[None], np.full((1, 1), total.sum()) if expected == "share" else count[None], count[None]))
        drawn.append(contrast(parts[0], parts[1], signed=signed)["difference" if signed else "log_ratio"][0])
    return interval(np.array(drawn).reshape(len(random), len(places)))


def occurrences(store: Store, counted: Items, names: Sequence[str], model: str | None, composite: str | None) -> dict[str, int]:
    """How often each item stands in all texts that were explained; nothing for items that are arcs."""
    explained = "SELECT explanation, document, 0 AS side, 0 AS unit FROM explanations WHERE model = $model AND composite = $composite"
    rows = counted.sql(f"chosen AS (\n    {explained}\n)")
    found = store.sql(
        f"WITH {rows}\nSELECT item, count(*) AS occurrences FROM item_row WHERE list_contains($names, item) GROUP BY ALL",
        {"model": model, "composite": composite, "names": list(names)},
    )
    return dict(found.iter_rows())


@dataclass(frozen=True, slots=True)
class NearEvidence(ItemEvidence):
    """The occurrences of an item near a node."""

    hits: str = ""
    place: Around = Around()  # noqa: RUF009 - it cannot be changed
    node: str = ""

    def lead(self, row: Mapping[str, Any], parameters: Mapping[str, Any] | None = None) -> Lead:
        """What stands behind one row: its words near the node, wherever they are more relevant."""
        text = str(row["item"])
        near = self.place.near.replace("b.", "w.")
        if self.place.span == "dependency":
            down = re.fullmatch(r"-(.+?)-> (.*)", text)
            relation, text = (down or re.fullmatch(r"<-(.+?)- (.*)", text)).groups()  # type: ignore[union-attr]
            view, near = arcs(relation, down=down is not None)
        else:
            view = self.counted.view
        condition = f"EXISTS (SELECT 1 FROM ({self.hits}) h WHERE h.explanation = w.explanation AND {near})"
        rows = f"(SELECT w.* FROM {view} WHERE {self.counted.condition(value_as_sql(text))} AND {condition})"
        return replace(Evidence(rows, "true", value="relevance").lead(row, parameters), pattern=self.words(row, parameters or {}))

    def words(self, row: Mapping[str, Any], parameters: Mapping[str, Any]) -> str | None:
        """The node with its collocate on either side as a pattern, where the node is words alone."""
        if self.place.span != "window" or re.search(r"::|within|->|<-|\w:", self.node):
            return None
        collocate = ItemEvidence.words(self, row, parameters)
        if collocate is None:
            return None
        gap = f"[]{{0,{self.place.window - 1}}}"
        return f"(({self.node}) {gap} {collocate} | {collocate} {gap} ({self.node})) within sentence"


def arcs(relation: str, *, down: bool) -> tuple[str, str]:
    """The word w at the end of an arc, and that its other end is in the node; `down` where w is the dependent."""
    same = "x.document = w.document AND x.role = w.role"
    inside = "BETWEEN h.match_start AND h.match_end AND w.word NOT BETWEEN h.match_start AND h.match_end"
    named = f"coalesce(x.relation, '?') = {value_as_sql(relation)}"
    if down:
        return f"word_relevance w JOIN words x ON {same} AND x.word = w.word", f"{named} AND x.head {inside}"
    return f"word_relevance w JOIN words x ON {same} AND x.head = w.word", f"{named} AND x.word {inside}"
