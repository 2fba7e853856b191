"""How far to trust an answer, in one line: what it rests on, whether the ledgers close, and whether the run beats random order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from workbench.queries.statistics import ratio_interval
from workbench.store import Store
from workbench.viz.figures import count, figure, interval

ASSOCIATION = "association, not cause"
#: Relative gap up to which a ledger counts as closed, in float32.
CLOSED = 1e-4
METRIC, RANDOM, RESAMPLES = "comprehensiveness", "random", 1000
#: Models that the line names; of the others it says how many there are.
NAMED = 2

CHOSEN = """
CREATE OR REPLACE TEMP TABLE trusted AS
SELECT e.explanation, e.document, e.role, e.model, e.composite, e.target, e.relative_gap
FROM explanations e JOIN kept.document d ON d.document = e.document
WHERE CASE WHEN $model::VARCHAR IS NULL THEN e.member_of IS NULL ELSE e.model = $model END
  AND ($composite::VARCHAR IS NULL OR e.composite = $composite) AND ($corpus::VARCHAR IS NULL OR d.corpus = $corpus)
  AND ($split::VARCHAR IS NULL OR (d.split = split_part($split, ':', 1)
       AND (NOT ends_with($split, ':clean') OR d.metadata ->> 'clean' = 'true')))
  AND ($label::VARCHAR IS NULL OR e.label = $label)"""
#: Who holds the tokens: an explanation itself, the members of an ensemble, the two texts of a pair.
HOLDERS = """
SELECT explanation FROM trusted
UNION SELECT e.explanation FROM explanations e JOIN trusted c ON e.member_of = c.explanation
UNION SELECT e.explanation FROM explanations e JOIN trusted c ON contains(c.role, '~') AND e.document = c.document AND e.model = c.model
    AND e.composite = c.composite AND e.target = c.target AND e.role IN (split_part(c.role, '~', 1), split_part(c.role, '~', 2))"""
COUNTED = f"""
WITH holders AS MATERIALIZED ({HOLDERS})
SELECT (SELECT count(*) FROM kept.token_relevance SEMI JOIN holders USING (explanation))
       + (SELECT count(*) FROM kept.step SEMI JOIN holders USING (explanation)) AS tokens,
       count(DISTINCT document) AS documents, count(*) AS explanations, max(relative_gap) AS gap,
       count(*) FILTER (relative_gap > $closed::DOUBLE) AS open FROM trusted"""
SCORES = """
SELECT f.model, f.method, f.document, f.value - r.value AS above
FROM (SELECT DISTINCT document, model, split_part(composite, '.', 1) AS method FROM trusted) c
JOIN faithfulness f ON f.document = c.document AND f.model = c.model AND f.method = c.method
JOIN faithfulness r ON r.document = f.document AND r.role = f.role AND r.model = f.model AND r.ordering = f.ordering AND r.metric = f.metric
WHERE f.metric = $metric AND f.ordering = 'signed' AND r.method = $random
ORDER BY f.model, f.method, f.document, f.role"""


@dataclass(frozen=True, slots=True)
class Faithful:
    """How much more than random order a model's relevance finds: paired difference of a metric over documents, 95 % bootstrap interval."""

    model: str
    method: str
    metric: str
    above_random: float
    low: float | None
    high: float | None
    documents: int

    @property
    def text(self) -> str:
        """The finding in words; what does not beat random order is called so."""
        ends = "" if self.low is None else f" {interval(self.low, self.high, 2)}"
        beats = self.low is not None and self.low > 0
        verb = "above random order" if beats else "against random order: NOT shown to be better"
        on = f"{count(self.documents)} document" + ("" if self.documents == 1 else "s")
        return f"{self.metric} {figure(self.above_random, 2, signed=True)}{ends} {verb} on {on}"


@dataclass(frozen=True, slots=True)
class Trust:
    """What an answer rests on: tokens with relevance, documents, explanations, their ledgers, and faithfulness beside random order.

    `gap` is the largest relative gap of a ledger, `open` how many do not close to 1e-4; `faithfulness` has nothing where none was measured.
    `line` says it in one line, which stands under every answer.
    """

    tokens: int
    documents: int
    explanations: int
    gap: float | None
    open: int
    faithfulness: tuple[Faithful, ...] = ()

    @property
    def line(self) -> str:
        """Tokens, documents, ledger gap, faithfulness against random, and that relevance is association."""
        if not self.explanations:
            return f"no relevance behind this: words and documents alone · {ASSOCIATION}"
        plural = "" if self.documents == 1 else "s"
        size = f"{count(self.tokens)} tokens of {count(self.documents)} document{plural}"
        return " · ".join([size, self.ledger, *self.measured, ASSOCIATION])

    @property
    def ledger(self) -> str:
        """Whether the ledgers close."""
        gap = f"largest gap {figure(self.gap, 2)}"
        return f"all ledgers close ({gap})" if not self.open else f"{count(self.open)} LEDGERS DO NOT CLOSE ({gap})"

    @property
    def measured(self) -> list[str]:
        """Faithfulness in words, the least faithful models first."""
        if not self.faithfulness:
            return ["faithfulness not measured"]
        ordered = sorted(self.faithfulness, key=lambda found: found.above_random)
        several = len({(found.model, found.method) for found in ordered}) > 1
        shown = [f"{found.model} {found.method}: {found.text}" if several else found.text for found in ordered[:NAMED]]
        return [*shown, *([f"{len(ordered) - NAMED} more models above these"] if len(ordered) > NAMED else [])]


def trust(
    store: Store,
    *,
    model: str | None = None,
    composite: str | None = None,
    corpus: str | None = None,
    split: str | None = None,
    label: str | None = None,
) -> Trust:
    """What answers about these explanations rest on; give the same choice as the question was given, None for all.

    Without a model: every model that is no mere member of an ensemble. A run is chosen by `Store.open(path, run=…)`. Faithfulness is that
    of the method whose name the composite bears (attnlrp for attnlrp.v1): comprehensiveness, DeYoung et al. 2020, words in signed order.
    """
    chosen = {"model": model, "composite": composite, "corpus": corpus, "split": split, "label": label}
    store.connection.execute(CHOSEN, chosen)
    tokens, documents, explanations, gap, open_ledgers = store.sql(COUNTED, {"closed": CLOSED}).row(0)
    scores = store.sql(SCORES, {"metric": METRIC, "random": RANDOM})
    store.connection.execute("DROP TABLE trusted")
    found = []
    for (name, method), part in scores.group_by("model", "method", maintain_order=True):
        by_document = part.group_by("document", maintain_order=True).agg(pl.col("above").mean())["above"].to_numpy()
        ends = ratio_interval(by_document, np.ones_like(by_document), resamples=RESAMPLES, seed=0)
        low, high = (None if np.isnan(end) else end for end in ends)  # one document says nothing of others
        found.append(Faithful(str(name), str(method), METRIC, float(by_document.mean()), low, high, len(by_document)))
    return Trust(int(tokens), int(documents), int(explanations), gap, int(open_ledgers), tuple(found))
