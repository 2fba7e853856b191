"""What changed between two runs: which texts are new, edited or explained anew, and by how much their words moved.

A run's results are all that its pipeline had explained when it ended: its own, those of earlier runs that still held, and none that a later
run made. What was superseded since is known word by word until `workbench prune` removes it.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from workbench.errors import StoreError
from workbench.queries.answer import Answer
from workbench.queries.comparison import measures
from workbench.queries.comparison.aligned import in_order
from workbench.queries.comparison.ground import over_words
from workbench.queries.evidence import with_parameters
from workbench.queries.trust import trust
from workbench.store import Store

#: Top-level explanations of a pipeline as they stood when a run ended, in `here` those of the store's tables, else of what was superseded.
STATE = """
WITH made AS (
    SELECT true AS here, e.explanation AS number, d.corpus, d.identifier, d.fingerprint AS document_fingerprint, e.fingerprint, e.role,
           e.model, e.weights, e.composite, e.target, e.label, e.target_value, l.run AS made
    FROM kept.explanation e
    JOIN kept.document d ON d.document = e.document
    JOIN kept.ledger l ON l.batch = e.batch
    WHERE e.member_of IS NULL AND l.run <= $run
    UNION ALL
    SELECT false, earlier, corpus, identifier, document_fingerprint, fingerprint, role, model, weights, composite, target, label,
           target_value, made
    FROM kept.earlier_explanation WHERE made <= $run AND gone > $run
)
SELECT m.* FROM made m JOIN kept.run r ON r.run = m.made
WHERE r.pipeline = (SELECT pipeline FROM kept.run WHERE run = $run)
QUALIFY m.made = max(m.made) OVER (PARTITION BY m.corpus, m.identifier, m.role)
ORDER BY ALL"""
#: Texts that a run explained, and of how many what it said is kept.
KEPT = """
SELECT any_value((r.counts->>'explained')::BIGINT) AS explained, count(DISTINCT k.corpus || chr(31) || k.identifier) AS kept
FROM kept.run r LEFT JOIN (
    SELECT l.run AS made, d.corpus, d.identifier
    FROM kept.explanation e JOIN kept.document d ON d.document = e.document JOIN kept.ledger l ON l.batch = e.batch
    UNION ALL SELECT made, corpus, identifier FROM kept.earlier_explanation
) k ON k.made = r.run
WHERE r.run = $run"""
WORDS_HERE = """
SELECT c.pair, r.kind::VARCHAR AS kind, r.word, w.char_start, w.char_end, r.form, r.lemma, r.upos, r.relevance::DOUBLE AS relevance
FROM src_chosen c JOIN kept.word_relevance r ON r.explanation = c.number
LEFT JOIN kept.word w ON w.document = r.document AND w.role = r.role AND w.word = r.word"""
WORDS_EARLIER = """
SELECT c.pair, r.kind::VARCHAR AS kind, r.word, r.char_start, r.char_end, r.form, r.lemma, r.upos, r.relevance::DOUBLE AS relevance
FROM src_chosen c JOIN kept.earlier_word r ON r.earlier = c.number"""
TITLES = {
    "changes": "what changed; otherwise: another decision; moved: share of |relevance| on other words or signs",
    "terms": "words that changed most: mean share of a text's |relevance| of one occurrence, second minus first",
    "turned": "words that changed sides",
    "texts": "texts that moved farthest",
}
UNCHANGED, NEW, GONE, EDITED = "unchanged", "new", "no longer there", "edited"
SHOWN = ["change", "corpus", "identifier", "role", "moved", "spearman", "first_label", "second_label", "first_value", "second_value"]


@dataclass(frozen=True, slots=True)
class RunDifference:
    """What changed from run `first` to run `second`.

    `changes`: change (edited, or what explained it anew: other weights, rules, settings), texts, otherwise (decided otherwise), words,
    moved with its interval (share of a text's |relevance| on other words or with another sign), spearman. `texts`: one row a text that
    changed. `terms`: mean share of |relevance| of one occurrence in both runs
    and the difference, with intervals over texts (`counted` of them in all). `turned`: words that changed sides.
    """

    first: int
    second: int
    changes: pl.DataFrame
    texts: pl.DataFrame
    terms: pl.DataFrame
    turned: pl.DataFrame
    counted: int
    notices: tuple[str, ...] = ()


def runs_compared(
    store: Store, first: int, second: int, *, minimum_texts: int = 3, limit: int = 20, resamples: int = 1000, seed: int = 0
) -> RunDifference:
    """The difference of two runs of a store, at most `limit` terms of it (0: all); StoreError names the runs that there are."""
    ours, theirs = (state(store, run) for run in (first, second))
    both = paired(ours, theirs)
    again = both.filter(~pl.col("change").is_in([UNCHANGED, NEW, GONE]))
    aligned = in_order(words(store, again))
    shares = measures.scaled(aligned, "share").with_columns(pl.coalesce("lemma", "form").alias("term"))
    moved = measures.by_document(shares)
    texts = both.filter(pl.col("change") != UNCHANGED).join(moved, on="pair", how="left", maintain_order="left")
    texts = texts.sort("moved", "corpus", "identifier", "role", descending=[True, False, False, False], nulls_last=True)
    terms = measures.by_class(shares, "term", least=minimum_texts, most=limit or None, resamples=resamples, seed=seed)
    named = both.select("pair", "corpus", "identifier", "role")
    turned = measures.turned(shares).join(named, on="pair", maintain_order="left")
    return RunDifference(
        first,
        second,
        counted(both, moved, resamples, seed),
        texts.select(*SHOWN),
        terms.frame,
        turned.select("corpus", "identifier", "role", "form", "first", "second"),
        terms.counted,
        tuple(notice for run in (first, second) if (notice := no_longer_kept(store, run))),
    )


def answer(store: Store, found: RunDifference, what: str = "changes") -> Answer:
    """One part of the difference as an answer: changes, terms, turned or texts."""
    return Answer(
        title=TITLES[what],
        frame=getattr(found, what),
        trust=trust(store),
        sql="\n\n".join(
            f"-- what stood when run {run} ended:{with_parameters(STATE, {'run': run})};" for run in (found.first, found.second)
        ),
        method="aligned by word and character, intervals by bootstrap over texts: in Python (workbench.queries.comparison.runs)",
        total=found.counted if what == "terms" else None,
        notices=found.notices,
    )


def state(store: Store, run: int) -> pl.DataFrame:
    """What a run's pipeline had explained when it ended; StoreError where there is no such run, or nothing of it is kept."""
    runs = store.sql("SELECT run FROM kept.run ORDER BY run")["run"].to_list()
    if run not in runs:
        raise StoreError(f"compare the run {run}", f"runs {', '.join(map(str, runs)) or 'none'}", "choose two of these: SELECT * FROM runs")
    found = store.sql(STATE, {"run": run})
    if found.is_empty() and (notice := no_longer_kept(store, run)):
        raise StoreError(f"compare the run {run}", notice, "compare later runs; workbench prune --keep-earlier keeps what runs said")
    return found


def no_longer_kept(store: Store, run: int) -> str | None:
    """A sentence where of texts that a run explained it is not known any more what it said: pruned, or taken out as damaged."""
    explained, kept = store.sql(KEPT, {"run": run}).row(0)
    if explained is None or kept >= explained:
        return None
    return f"what run {run} said of {explained - kept:,} of its {explained:,} texts is no longer kept, and cannot be compared"


def paired(ours: pl.DataFrame, theirs: pl.DataFrame) -> pl.DataFrame:
    """Texts of both runs side by side, with what became of each."""
    shared = bool(set(ours["model"]) & set(theirs["model"]))
    key = ["corpus", "identifier", "role", *(["model"] if shared else [])]
    both = ours.join(theirs, on=key, how="full", coalesce=True, suffix="_second", maintain_order="left")
    composite = pl.format("{} → {}", "composite", "composite_second")
    change = (
        pl.when(pl.col("number").is_null())
        .then(pl.lit(NEW))
        .when(pl.col("number_second").is_null())
        .then(pl.lit(GONE))
        .when(pl.col("fingerprint") == pl.col("fingerprint_second"))
        .then(pl.lit(UNCHANGED))
        .when(pl.col("document_fingerprint") != pl.col("document_fingerprint_second"))
        .then(pl.lit(EDITED))
        .when((pl.col("composite") != pl.col("composite_second")) & pl.col("weights").ne_missing(pl.col("weights_second")))
        .then(pl.concat_str(composite, pl.lit(", with other weights")))
        .when(pl.col("composite") != pl.col("composite_second"))
        .then(composite)
        .when(pl.col("weights").ne_missing(pl.col("weights_second")))
        .then(pl.lit("other weights"))
        .otherwise(pl.lit("other settings"))
    )
    renamed = {"label": "first_label", "label_second": "second_label", "target_value": "first_value", "target_value_second": "second_value"}
    return both.with_columns(change.alias("change")).rename(renamed).with_row_index("pair").with_columns(pl.col("pair").cast(pl.Int32))


def words(store: Store, pairs: pl.DataFrame) -> list[pl.DataFrame]:
    """Words of both runs laid over each other, and what is of no word."""
    sides = [of_state(store, pairs, suffix) for suffix in ("", "_second")]
    known = [side.filter(pl.col("word").is_not_null() & pl.col("char_start").is_not_null()) for side in sides]
    texts = [written(side) for side in known]
    both = texts[0].join(texts[1].rename({"text": "other"}), on="pair", how="full", coalesce=True).sort("pair")
    both = both.with_columns(pl.col("text", "other").fill_null(""))
    return over_words(both, *known)


def of_state(store: Store, pairs: pl.DataFrame, suffix: str) -> pl.DataFrame:
    """The words of one side, wherever they are kept."""
    found = []
    for here, statement in ((True, WORDS_HERE), (False, WORDS_EARLIER)):
        chosen = pairs.filter(pl.col(f"here{suffix}") == here).select("pair", pl.col(f"number{suffix}").alias("number"))
        store.connection.register("src_chosen", chosen)
        try:
            found.append(store.sql(statement))
        finally:
            store.connection.unregister("src_chosen")
    return pl.concat(found).sort("pair", "kind", "word", nulls_last=True)


def written(words: pl.DataFrame) -> pl.DataFrame:
    """The text of each pair as far as its words tell: every word at its place, blanks between."""
    rows = []
    for (pair,), part in words.group_by("pair", maintain_order=True):
        text = [" "] * int(part["char_end"].max() or 0)  # type: ignore[arg-type]
        for start, end, form in part.select("char_start", "char_end", "form").iter_rows():
            text[start:end] = form
        rows.append((pair, "".join(text)))
    return pl.DataFrame(rows, schema={"pair": pl.Int32, "text": pl.String}, orient="row")


def counted(both: pl.DataFrame, moved: pl.DataFrame, resamples: int, seed: int) -> pl.DataFrame:
    """How many texts changed in which way, and by how much."""
    rows = []
    joined = both.join(moved, on="pair", how="left", maintain_order="left")
    for (change,), part in joined.sort("change").group_by("change", maintain_order=True):
        otherwise = int((part["first_label"].is_not_null() & (part["first_label"] != part["second_label"])).sum())
        mean = measures.mean_of(part, "moved", resamples, seed)
        rank = part["spearman"].mean()
        rows.append((change, len(part), otherwise, int(part["words"].sum()), mean["mean"], mean["low"], mean["high"], rank))
    schema = {
        "change": pl.String, "texts": pl.Int64, "otherwise": pl.Int64, "words": pl.Int64, "moved": pl.Float64, "low": pl.Float64,
        "high": pl.Float64, "spearman": pl.Float64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row").sort("texts", descending=True)
