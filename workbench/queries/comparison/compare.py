"""Two sides set side by side: agreement by document, the words that changed most, and the decisions that flipped."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from workbench.errors import InputError
from workbench.queries.comparison import measures
from workbench.queries.comparison.aligned import Ground, aligned, paired
from workbench.queries.comparison.decisions import decisions, exact, flips
from workbench.queries.comparison.side import Side

SCALES = ("share", "relevance")
MEASURES = {
    "spearman": "rank correlation of the words of a document",
    "pearson": "correlation of the words of a document",
    "same_top": "share of documents whose most relevant word is the same",
    "moved": "share of a document's |relevance| that lies elsewhere or with another sign",
    "signs": "share of a document's |relevance| on words whose sign differs",
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two sides agree on; every interval is a 95 % bootstrap interval over documents.

    `summary`: measure, mean, low, high, documents. `documents`: one row a text (corpus, identifier, role, label, words, the measures, both
    targets). `terms` and `parts` (of speech): mean relevance of one occurrence on both sides and the difference, second minus first.
    `turned`: words that speak for the class on one side and against it on the other. `flips`: documents that are decided otherwise, of
    `decided` in all; `p_value` of McNemar's exact test, None without gold labels that tell. `counted` is the number of terms in enough
    documents, of which `terms` has the first. `conserved` is the largest difference between the sum over a text's words and all else and
    the relevance of its tokens as the ledger has it.
    """

    first: Side
    second: Side
    ground: Ground
    scale: str
    aligned: pl.DataFrame
    summary: pl.DataFrame
    documents: pl.DataFrame
    terms: pl.DataFrame
    parts: pl.DataFrame
    turned: pl.DataFrame
    flips: pl.DataFrame
    decided: int
    p_value: float | None
    counted: int
    conserved: float
    notices: tuple[str, ...]


def compare(
    first: Side,
    second: Side,
    *,
    ground: Ground = "word",
    scale: str = "share",
    form: str = "lemma",
    limit: int = 20,
    minimum_documents: int = 3,
    resamples: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Compares the relevance of the same texts for the same class on two sides, word by word or by the characters under their tokens.

    `scale` "share" measures relevance as a share of the text's sum of |relevance|, so that models of different logits can be compared;
    "relevance" takes it as it is; at most `limit` terms, 0 for all. Raises StoreError where no document meets, InputError for another
    ground, scale or form.
    """
    for name, value, known in (("ground", ground, ("word", "character")), ("scale", scale, SCALES), ("form", form, ("lemma", "form"))):
        if value not in known:
            raise InputError("compare two sides", f"the {name} {value!r}", f"choose one of {', '.join(known)}")
    pairs = paired(first, second)
    both = aligned(first, second, pairs, ground)
    words = measures.scaled(both, scale)
    rows = measures.by_document(words)
    documents = pairs.join(rows, on="pair", how="left", maintain_order="left")
    term = pl.coalesce("lemma", "form") if form == "lemma" else pl.col("form")
    named = words.with_columns(term.str.normalize("NFC").alias("term"))
    options = {"least": minimum_documents, "resamples": resamples, "seed": seed}
    means = [{"measure": name, **measures.mean_of(documents, name, resamples, seed)} for name in MEASURES]
    decided = decisions(first, second)
    flipped = flips(decided)
    counted = {change: int((flipped["change"] == change).sum()) for change in ("gained", "lost")}
    changed = measures.by_class(named, "term", most=limit or None, **options)
    where = pairs.select("pair", "corpus", "identifier", "role", "label")
    turned = measures.turned(words).join(where, on="pair", maintain_order="left")
    return Comparison(
        first=first,
        second=second,
        ground=ground,
        scale=scale,
        aligned=both,
        summary=pl.DataFrame(means, schema_overrides=dict.fromkeys(("mean", "low", "high"), pl.Float64)),
        documents=documents.drop("pair", "first_explanation", "second_explanation", "first_document", "second_document"),
        terms=changed.frame,
        parts=measures.by_class(named, "upos", most=None, **options).frame,
        turned=turned.select("corpus", "identifier", "role", "label", "word", "form", "first", "second"),
        flips=flipped,
        decided=len(decided),
        p_value=exact(counted["gained"], counted["lost"]),
        counted=changed.counted,
        conserved=conserved(both, first, second, pairs),
        notices=notices(first, second, pairs, both, words),
    )


def conserved(both: pl.DataFrame, first: Side, second: Side, pairs: pl.DataFrame) -> float:
    """The largest difference, over documents and sides, between the sum of what is aligned and the account of tokens in the ledger."""
    sums = both.group_by("pair").agg(pl.col("first", "second").sum())
    largest = 0.0
    for name, side in (("first", first), ("second", second)):
        met = pairs.join(side.explanations.select(pl.col("explanation").alias(f"{name}_explanation"), "tokens"), on=f"{name}_explanation")
        apart = met.join(sums, on="pair").select((pl.col("tokens") - pl.col(name)).abs().max()).item()
        largest = max(largest, float(apart or 0.0))
    return largest


def notices(first: Side, second: Side, pairs: pl.DataFrame, both: pl.DataFrame, words: pl.DataFrame) -> tuple[str, ...]:
    """What a reader must know: texts that are explained for different classes, and words that one side did not see."""
    key = ["identifier", "role"]
    met = first.explanations.select(key).unique().join(second.explanations.select(key).unique(), on=key)
    apart, every = len(met) - len(pairs.select(key).unique()), int((both["kind"] == "word").sum())
    said = []
    if apart:
        said.append(f"{apart:,} of {len(met):,} texts are explained for different classes or targets: their words are not compared")
    if unseen := every - len(words):
        said.append(f"{unseen:,} of {every:,} words are seen by one side alone and left out (windows, tokenizers)")
    if first.shown == second.shown and first.store is second.store:
        said.append("both sides are the same")
    return tuple(said)
