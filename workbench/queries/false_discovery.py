"""How often do keyness and shortcuts find something where nothing is? A store's own corpus, shuffled many times.

1. Keyness: the labels of all documents are permuted among them. Texts, relevance and everything that hangs together in them stay as they
   are, so that a corpus is as bursty and as uneven as yours, and no item can be key for a label.
2. Shortcuts: the model's answers are permuted among the documents of one true label, so that the label explains all that there is.
3. Each shuffled corpus is asked through the same functions that answer you. An alarm is a corpus in which anything is called significant
   or passes; where nothing is to be found, the rate of alarms is the false discovery rate (Benjamini and Hochberg 1995).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import binomtest

from workbench.errors import InputError, StoreError
from workbench.queries.keyness.keys import LEVEL, keyness
from workbench.queries.keyness.permutation import PERMUTATIONS
from workbench.queries.shortcuts.features import features
from workbench.queries.shortcuts.ranking import shortcuts
from workbench.queries.shortcuts.reliance import permuted, strata
from workbench.store import Store
from workbench.store.connection import registered

CORPORA = 200
ASKED = "count false discoveries"
#: What is asked of every corpus with shuffled labels: by lemma and occurrence, and of a finer and a coarser kind of item.
KEYNESS: Mapping[str, Mapping[str, Any]] = {
    "keyness of lemmas, by share": {},
    "keyness of lemmas, by occurrences": {"expected": "occurrences"},
    "keyness of lemmas, signed": {"relevance": "signed"},
    "keyness of parts of speech in pairs": {"what": "upos", "n": 2},
}
SHORTCUTS = "shortcuts"
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Alarms:
    """One question: how many of its `corpora` raised an alarm, all `findings` in them, and the items `tested` in each."""

    question: str
    corpora: int = 0
    alarms: int = 0
    findings: int = 0
    tested: list[int] = field(default_factory=list)

    def count(self, found: int, tested: int) -> None:
        """Adds a corpus."""
        self.corpora += 1
        self.alarms += found > 0
        self.findings += found
        self.tested.append(tested)

    @property
    def rate(self) -> float:
        """The share of corpora with an alarm."""
        return self.alarms / self.corpora if self.corpora else 0.0

    @property
    def met(self) -> bool:
        """At most five per cent."""
        return self.rate <= LEVEL

    def row(self) -> dict[str, object]:
        """As a row, the rate with its exact 95 % interval (Clopper and Pearson 1934)."""
        ends = binomtest(self.alarms, max(self.corpora, 1)).proportion_ci(0.95)
        items = float(np.mean(self.tested)) if self.tested else 0.0
        return {"corpora": self.corpora, "alarms": self.alarms, "rate": self.rate, "rate_low": float(ends.low),
                "rate_high": float(ends.high), "findings": self.findings, "items": round(items), "met": self.met,
                "question": self.question}  # fmt: skip


def false_discovery(
    store: str | os.PathLike[str],
    *,
    corpora: int = CORPORA,
    run: int | None = None,
    model: str | None = None,
    composite: str | None = None,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
    progress: Progress = lambda *_: None,
) -> list[Alarms]:
    """Shuffles the corpus of a store `corpora` times and counts in how many keyness and shortcuts find anything.

    The store is read only. Raises StoreError where documents have no label, or the model's answers are all of one class.
    """
    if corpora < 1:
        raise InputError(ASKED, f"{corpora} corpora", "shuffle one corpus at least; 200 tell 5 % from 10 %")
    named: dict[str, Any] = {"model": model, "composite": composite}
    found = [Alarms(question) for question in KEYNESS]
    with Store.open(store, "read", run=run) as opened:
        for number, focus in enumerate(shuffled_labels(opened, corpora, seed)):
            for alarms, asked in zip(found, KEYNESS.values(), strict=True):
                keys = keyness(
                    opened, focus, side="both", limit=1, permutations=permutations, shuffles=0, resamples=0, seed=number, **named, **asked
                )
                alarms.count(keys.significant, keys.tested)
            progress(number + 1, 2 * corpora)
    others = Alarms(SHORTCUTS)
    with Store.open(store, "read", run=run) as opened:
        for number in shuffled_answers(opened, corpora, seed, **named):
            suspects = shortcuts(opened, limit=0, permutations=min(permutations, 999), shuffles=0, resamples=200, seed=number, **named)
            others.count(suspects.passing, suspects.tested)
            progress(corpora + number + 1, 2 * corpora)
    return [*found, others]


def shuffled_labels(store: Store, corpora: int, seed: int) -> Iterator[str]:
    """Puts shuffled labels in front of the documents, again and again; each time the label to be asked for, all in turn."""
    kept = store.sql("SELECT document, label FROM documents WHERE label IS NOT NULL ORDER BY document")
    counts = kept["label"].value_counts().filter(pl.col("count") >= 2)["label"].sort().to_list()
    if len(counts) < 2:
        raise StoreError(ASKED, f"{len(counts)} labels of two documents at least", "take a corpus whose documents have labels")
    store.connection.execute("CREATE TEMP TABLE as_read AS FROM documents")
    random = np.random.default_rng([seed, 1])
    for number in range(corpora):
        drawn = kept.with_columns(pl.Series("label", random.permutation(kept["label"].to_numpy()), dtype=pl.String))
        replaced(store, "documents", "as_read", "document", drawn)
        yield counts[number % len(counts)]


def shuffled_answers(store: Store, corpora: int, seed: int, **named: Any) -> Iterator[int]:
    """Puts answers that are shuffled within labels in front of the explanations, again and again."""
    given = features(store, role=None, where={}, minimum_documents=1, seed=seed, **named)
    kept = store.sql(f"SELECT explanation, gold, predicted FROM ({given.explained}) ORDER BY explanation")
    classes, codes = np.unique(kept["predicted"].to_numpy().astype(str), return_inverse=True)
    drawn = permuted(codes.astype(np.int64), strata(kept["gold"].to_numpy().astype(str)), corpora, np.random.default_rng([seed, 2]))
    database = store.sql("SELECT current_database()").item()
    quoted = '"' + str(database).replace('"', '""') + '"'
    store.connection.execute(
        "CREATE TEMP TABLE as_read AS FROM explanations WHERE explanation IN (SELECT unnest($1))", [kept["explanation"].to_list()]
    )
    store.connection.execute(f"CREATE OR REPLACE TEMP VIEW predictions AS FROM {quoted}.main.predictions WHERE false")
    for number, answers in enumerate(drawn.T):
        labels = pl.DataFrame({"explanation": kept["explanation"], "label": classes[answers].tolist()})
        replaced(store, "explanations", "as_read", "explanation", labels)
        yield number


def replaced(store: Store, view: str, table: str, key: str, labels: pl.DataFrame) -> None:
    """A temporary view in front of a view of the store, with other labels."""
    with registered(store.connection, "src_labels", labels):
        store.connection.execute("CREATE OR REPLACE TEMP TABLE other_label AS FROM src_labels")
    store.connection.execute(
        f"CREATE OR REPLACE TEMP VIEW {view} AS "
        f"SELECT r.* REPLACE (o.label AS label) FROM {table} r LEFT JOIN other_label o ON o.{key} = r.{key}"
    )


def frame(found: Sequence[Alarms]) -> pl.DataFrame:
    """One row a question."""
    return pl.DataFrame([alarms.row() for alarms in found])
