"""A comparison as answers to read: which frame, under which title, with the trust of both sides."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from workbench.errors import InputError
from workbench.queries.answer import Answer
from workbench.queries.comparison.compare import MEASURES, Comparison
from workbench.queries.comparison.side import Side
from workbench.queries.evidence import Evidence, with_parameters
from workbench.queries.trust import trust

METHOD = "aligned by word and character, intervals by bootstrap over documents: in Python (workbench.queries.comparison)"
WORDS = """SELECT w.document, w.role, w.label, w.word, w.form, w.lemma, w.upos, w.relevance
FROM word_relevance w WHERE w.kind = 'word' AND w.model = $model AND w.composite = $composite ORDER BY ALL"""
BOTH = """SELECT f.document, f.role, f.label, f.word, f.form, f.lemma, f.upos, f.relevance AS first, s.relevance AS second
FROM word_relevance f JOIN word_relevance s
  ON s.document = f.document AND s.role = f.role AND s.label IS NOT DISTINCT FROM f.label AND s.word = f.word
WHERE f.kind = 'word' AND s.kind = 'word' AND f.model = $model AND f.composite = $composite
  AND s.model = $other_model AND s.composite = $other_composite ORDER BY ALL"""
TITLES = {
    "summary": "agreement, means over documents",
    "terms": "words whose relevance changed most",
    "parts": "relevance by part of speech",
    "turned": "words that change sides",
    "documents": "documents by what moved",
    "flips": "documents decided otherwise",
}
SCALES = {
    "share": "relevance is a share of its text's sum of |relevance|; mean of one occurrence, second minus first",
    "relevance": "relevance is in units of the target; mean of one occurrence, second minus first",
}


def answer(found: Comparison, what: str = "terms") -> Answer:
    """One frame of a comparison as an answer; InputError names those there are."""
    if what not in TITLES:
        raise InputError(f"show {what} of a comparison", "no such part", f"choose one of {', '.join(TITLES)}")
    first = found.first
    known = {"model": first.model, "composite": first.composite}
    evidence = Evidence("word_relevance", "coalesce(lemma, form) = {term} AND model = $model AND composite = $composite", "[lemma={term}]")
    return Answer(
        title=f"{TITLES[what]}: {first.shown} → {found.second.shown}",
        frame=FRAMES[what](found),
        trust=trust(first.store, **known),
        sql=sql_of(first, found.second),
        method=METHOD,
        evidence=evidence if what == "terms" and found.ground == "word" else None,
        total=found.counted if what == "terms" else None,
        notices=(*found.notices, *beside(found)),
        parameters=known,
    )


def sql_of(first: Side, second: Side) -> str:
    """The SQL whose rows are compared: both sides' words in one statement, or for two stores in two, with the name of each file."""
    own, other = {"model": first.model, "composite": first.composite}, {"model": second.model, "composite": second.composite}
    if first.store is second.store:
        return with_parameters(BOTH, own | {f"other_{name}": value for name, value in other.items()})
    parts = [(first.store.path, own), (second.store.path, other)]
    return ";\n\n".join(f"-- {path}\n{with_parameters(WORDS, values)}" for path, values in parts)


def beside(found: Comparison) -> list[str]:
    """What stands beside every part: flips and how the second side is to be trusted."""
    second = trust(found.second.store, model=found.second.model, composite=found.second.composite)
    sums = f"sums over words and all else are those of the explanations to {found.conserved:.0e}"
    return [*([flipped(found)] if found.decided else []), SCALES[found.scale], sums, f"trust of the second side: {second.line}"]


def flipped(found: Comparison) -> str:
    """Decisions that changed, in words."""
    gained, lost = (int((found.flips["change"] == change).sum()) for change in ("gained", "lost"))
    tested = f" (gained {gained:,}, lost {lost:,}; McNemar's exact p {found.p_value:.3g})" if found.p_value is not None else ""
    return f"{len(found.flips):,} of {found.decided:,} documents are decided otherwise{tested}"


def of_summary(found: Comparison) -> pl.DataFrame:
    """Measures with what they mean."""
    return found.summary.with_columns(pl.col("measure").replace_strict(MEASURES).alias("text"))


def of_documents(found: Comparison) -> pl.DataFrame:
    """Documents, the farthest moved first."""
    columns = ["moved", "spearman", "pearson", "signs", "same_top", "words", "label", "gold", "first_target_value", "second_target_value"]
    ranked = found.documents.sort("moved", "identifier", "role", descending=[True, False, False], nulls_last=True)
    return ranked.select("corpus", "identifier", "role", *columns)


FRAMES: Mapping[str, Callable[[Comparison], pl.DataFrame]] = {
    "summary": of_summary,
    "terms": lambda found: found.terms,
    "parts": lambda found: found.parts,
    "turned": lambda found: found.turned,
    "documents": of_documents,
    "flips": lambda found: found.flips.select(
        "corpus", "identifier", "role", "gold", "first_label", "second_label", "change", "first_probability", "second_probability"
    ),
}
