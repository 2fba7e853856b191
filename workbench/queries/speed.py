"""How long everyday questions take on a store: a JSON line for each.

`workbench bench queries` runs this file as a process of its own, so that the memory it reports is that of reading alone.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from workbench.patterns import concordance, find
from workbench.queries.answer import Answer
from workbench.queries.ask import answer, query
from workbench.queries.trust import trust
from workbench.store import Store

PATTERN = '[upos="ADJ" & relevance>0.1] [upos="NOUN"]'
POS_PAIRS = """SELECT left_upos, right_upos, count(*) AS interactions, avg(relevance::DOUBLE) AS mean, sum(relevance::DOUBLE) AS sum
  FROM interactions
 WHERE left_kind = 'word' AND right_kind = 'word'
 GROUP BY ALL ORDER BY abs(sum) DESC"""
#: The five questions that have a bar, each as a person asks it, and what it answers with.
QUESTIONS: dict[str, Callable[[Store], Any]] = {
    "relevance by part of speech": lambda store: query(store, "relevance_by_upos"),
    "top lemmas, with their documents": lambda store: query(store, "top_terms"),
    "adjective and noun, relevance above 0.1": lambda store: find(store, PATTERN),
    "concordance of a lemma, the first 50": lambda store: concordance(store, find(store, f'[lemma="{common(store)}"]')),
    "interactions by both parts of speech": lambda store: store.sql(POS_PAIRS),
}
#: What stands beside them without a bar.
BESIDE: dict[str, Callable[[Store], Any]] = {
    "concordance of all nouns, the first 50": lambda store: concordance(store, find(store, '[upos="NOUN"]')),
    "adjective, up to three words, noun": lambda store: find(store, '[upos="ADJ" & relevance>0.1] []{0,3} [upos="NOUN"]'),
    "nouns and verbs of a pair, interaction above 0.05": lambda store: find(
        store, 'a:[upos="NOUN"] ~> b:[upos="VERB"] :: interaction(a, b) > 0.05'
    ),
    "a row's documents": lambda store: documents_of(store, answer(store, "relevance_by_upos")),
    "the trust line": trust,
}
_COMMON: dict[Path, str] = {}


def common(store: Store) -> str:
    """A lemma of middling frequency."""
    if store.path not in _COMMON:
        lemmas = store.sql("SELECT lemma FROM word_relevance WHERE lemma IS NOT NULL GROUP BY ALL ORDER BY count(*) DESC, lemma LIMIT 100")
        _COMMON[store.path] = str(lemmas["lemma"].to_list()[-1])
    return _COMMON[store.path]


def documents_of(store: Store, found: Answer) -> Any:
    """The documents behind the first row of an answer."""
    return store.sql(f"SELECT count(*) AS n FROM ({found.lead(1).documents})")


def measured(store: Store, repetitions: int, beside: bool) -> Iterator[dict[str, Any]]:
    """Median wall and CPU seconds of each question once it has been asked before."""
    for name, ask in (QUESTIONS | (BESIDE if beside else {})).items():
        ask(store)
        walls, cpus = [], []
        for _ in range(repetitions):
            wall, cpu = time.perf_counter(), seconds()
            ask(store)
            walls.append(time.perf_counter() - wall)
            cpus.append(seconds() - cpu)
        yield {"question": name, "wall": statistics.median(walls), "cpu": statistics.median(cpus), "barred": name in QUESTIONS}


def seconds() -> float:
    """CPU seconds of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def resident() -> float:
    """The largest memory of this process so far, in GB."""
    scale = 1e9 if sys.platform == "darwin" else 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


def main(path: str, repetitions: str, beside: str) -> None:
    """Prints what was measured, and at the end the rows of the store and the memory that reading took."""
    with Store.open(path) as store:
        for found in measured(store, int(repetitions), beside == "True"):
            print(json.dumps(found), flush=True)  # noqa: T201 - it is read by the process that started this one
        rows = store.sql("SELECT (SELECT count(*) FROM word_relevance) AS words, (SELECT count(*) FROM interactions) AS interactions").row(
            0
        )
    print(json.dumps({"words": rows[0], "interactions": rows[1], "resident": resident()}), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
