"""A store of any size from arithmetic alone, and how long patterns take on it: python -m tests.patterns.speed FOLDER ROWS.

Texts of 50 words in sentences of 17 with Zipf-like lemmas, and as many interactions of pairs as word rows.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path

import duckdb

from workbench.patterns import concordance, find
from workbench.store import Store

WORDS = 50
MODEL, COMPOSITE = "generated", "attnlrp.v1"
UPOS = (
    "CASE WHEN u < 240 THEN 'NOUN' WHEN u < 370 THEN 'VERB' WHEN u < 440 THEN 'ADJ' WHEN u < 560 THEN 'DET' WHEN u < 660 THEN 'ADP' "
    "WHEN u < 760 THEN 'PRON' WHEN u < 870 THEN 'PUNCT' WHEN u < 930 THEN 'ADV' ELSE 'CCONJ' END"
)
LEMMA = "'w' || (exp(z * 10) * 2)::INTEGER"
FORM = f"{LEMMA} || ['', 's', 'ed'][1 + v % 3]"
RELATION = (
    "CASE WHEN u < 240 THEN ['nsubj', 'obj', 'obl', 'nmod'][1 + v % 4] WHEN u < 370 THEN ['root', 'conj', 'advcl'][1 + v % 3] "
    "WHEN u < 440 THEN 'amod' WHEN u < 560 THEN 'det' ELSE ['case', 'punct', 'cc', 'advmod'][1 + v % 4] END"
)
LEDGER = "target_value, tokens, token_types, positions, biases, softmax, nonlinear, epsilon, gap"
PATTERNS = (
    '[upos="ADJ" & relevance>0.1] [upos="NOUN"]',
    '[upos="ADJ" & relevance>0.1] [upos="NOUN"] within sentence',
    '[upos="ADJ" & relevance>0.1] []{0,3} [upos="NOUN"]',
    '[upos="ADJ"]+ [upos="NOUN"]',
    'a:[upos="ADJ"] b:[upos="NOUN"] :: a.relevance > b.relevance + 0.1',
    '[lemma="w1[0-9]" & label="political"]',
    '[Number="Plur" & relevance>0.3] [upos="VERB"]',
    "_ -amod-> [relevance<0]",
    '[upos="VERB"] -nsubj-> a:[] ; -obj-> b:[]',
    'a:[upos="NOUN"] ~> b:[upos="VERB"] :: interaction(a, b) > 0.05',
)


def generate(path: Path, rows: int) -> None:
    """A store of so many word rows and so many interactions, written past the store's own door."""
    with Store.open(path, "write"):
        pass
    texts = rows // WORDS
    with duckdb.connect(str(path)) as connection:
        for statement in statements(texts):
            connection.execute(statement)


def statements(texts: int) -> list[str]:
    """The SQL that fills a store; rows stand in the order in which the store itself writes them."""
    numbers = f"range(1, {texts} + 1) t(i)"
    here = f"'{MODEL}', '{COMPOSITE}'"
    zeros = ", ".join("0" for _ in LEDGER.split(","))

    def explanation(shift: int, role: str, target: str, label: str) -> str:
        return f"""
        INSERT INTO kept.explanation
            (explanation, fingerprint, document, role, model, tokenizer, composite, target, label, {LEDGER}, digest, batch)
        SELECT i + {shift}, 'f' || i, i, '{role}', '{MODEL}', '{MODEL}', '{COMPOSITE}', '{target}', {label}, {zeros}, 0, 1 FROM {numbers}"""

    documents = f"""
    INSERT INTO kept.document SELECT i, 'posts', 'd' || i, 'f' || i, ['political', 'personal'][1 + i % 2], 'test', 'en', '{{}}', 0, 1
    FROM {numbers}"""
    number = f"""
    CREATE TEMP TABLE number AS
    SELECT (1 + i // {WORDS})::INTEGER AS document, (i % {WORDS})::INTEGER AS word, (hash(i) % 1000)::INTEGER AS u,
           (hash(i * 7 + 1) % 1000000) / 1e6 AS z, (hash(i * 13 + 5) % 1000)::INTEGER AS v
    FROM range({texts * WORDS}) t(i)"""
    words = f"""
    INSERT INTO kept.word
    SELECT document, 'text', 'generated', word, word * 5, word * 5 + 4, {FORM}, {LEMMA}, {UPOS}, {UPOS},
           CASE WHEN v % 3 = 0 THEN 'Number=Plur' END, CASE WHEN v % 10 > 0 THEN least({WORDS - 1}, greatest(0, word + v % 7 - 3)) END,
           {RELATION}, NULL, word // 17
    FROM number ORDER BY document, word"""
    relevance = f"""
    INSERT INTO kept.word_relevance
    SELECT document, document, 'text', {here}, 'political', 'word', word, {FORM}, {LEMMA}, {UPOS}, {RELATION}, word // 17,
           ((v - 500) / 1000.0) * z, z
    FROM number ORDER BY document, word"""
    interactions = f"""
    INSERT INTO kept.interaction
    SELECT document + {texts}, 'word', word, 'word', v % {WORDS}, ((v - 500) / 1000.0) * z, 'other', {FORM}, {LEMMA}, {UPOS}, {RELATION},
           {FORM}, {LEMMA}, ['NOUN', 'VERB', 'ADJ', 'DET'][1 + v % 4], {RELATION}
    FROM number ORDER BY document, word"""
    return [
        documents,
        f"INSERT INTO kept.segment SELECT i, 'text', 'generated' FROM {numbers}",
        explanation(0, "text", "logit", "'political'"),
        explanation(texts, "text_a~text_b", "cosine", "NULL"),
        number, words, relevance, interactions,
        "CHECKPOINT",
    ]  # fmt: skip


def seconds() -> float:
    """CPU seconds of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(folder: str, rows: str) -> None:
    """Prints wall and CPU seconds of each pattern, the second time it is asked."""
    path = Path(folder) / f"generated-{rows}.duckdb"
    if not path.exists():
        generate(path, int(rows))
    print(f"{int(rows):,} word rows and as many interactions, {os.cpu_count()} cores, {path.stat().st_size / 1e6:,.0f} MB")
    with Store.open(path) as store:
        for pattern in PATTERNS:
            find(store, pattern)
            wall, cpu = time.perf_counter(), seconds()
            hits = find(store, pattern)
            print(f"{time.perf_counter() - wall:6.2f} s {seconds() - cpu:6.2f} CPU s  {pattern}  {hits.shown}", flush=True)
        wall, cpu = time.perf_counter(), seconds()
        concordance(store, find(store, PATTERNS[0]))
        print(f"{time.perf_counter() - wall:6.2f} s {seconds() - cpu:6.2f} CPU s  the first pattern again, and its KWIC")
    print(f"resident at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main(*sys.argv[1:])
