"""Groups of terms that mean the like: what kinds of words a model relies on, where no lexicon says so beforehand.

1. The terms that hold most relevance (by `relevance`: for the class, against it, or either), as lemmas, forms or phrases of the store.
2. Their vectors, from a sentence encoder or from the store's own texts, brought to `DIMENSIONS` principal components.
3. HDBSCAN (Campello, Moulavi and Sander 2013; scikit-learn), the leaves of its tree: groups of any number; terms that fit nowhere stay out.
4. Each group is named by its terms of most relevance, and is a category like any other: shares, lift and means, with intervals.

`cohesion` is the mean cosine of a group's vectors to their centre: a low one is a group in name only. Groups are a reader's aid, not a
finding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.cluster import HDBSCAN
from sklearn.decomposition import PCA

from workbench.errors import InputError, StoreError
from workbench.queries.answer import Answer
from workbench.queries.evidence import Evidence, with_parameters
from workbench.queries.question import Value
from workbench.queries.semantics.shares import WHO, of_items
from workbench.queries.semantics.vectors import corpus_vectors
from workbench.queries.trust import trust
from workbench.store import Store

Numbers: TypeAlias = NDArray[np.float32]
#: From terms to vectors `(term dim)` of length one.
Embed: TypeAlias = Callable[[Sequence[str]], Numbers]

DIMENSIONS, NAMED, LISTED = 5, 3, 12
MEASURES = {"for": "greatest(relevance, 0)", "against": "greatest(-relevance, 0)", "either": "abs(relevance)"}
CHOSEN = """WITH chosen AS (
    SELECT e.explanation FROM explanations e JOIN documents d ON d.document = e.document
    WHERE CASE WHEN $model::VARCHAR IS NULL THEN e.member_of IS NULL ELSE e.model = $model END AND NOT contains(e.role, '~')
      AND ($composite::VARCHAR IS NULL OR e.composite = $composite) AND ($label::VARCHAR IS NULL OR e.label = $label)
      AND ($corpus::VARCHAR IS NULL OR d.corpus = $corpus)
), word AS MATERIALIZED (
    SELECT w.model, w.composite, w.label, w.document, w.role, w.word, w.explanation, w.form, w.lemma, w.relevance::DOUBLE AS relevance,
           nfc_normalize(CASE WHEN $form::VARCHAR = 'form' THEN w.form ELSE coalesce(w.lemma, w.form) END) AS term
    FROM word_relevance w SEMI JOIN chosen c ON c.explanation = w.explanation
    WHERE w.kind = 'word' AND w.upos IS DISTINCT FROM 'PUNCT' AND w.upos IS DISTINCT FROM 'SPACE'
)"""
TERMS = """{chosen}
SELECT term, sum({measure}) AS weight, count(DISTINCT document) AS documents, count(*) AS occurrences
FROM word WHERE regexp_matches(term, '\\p{{L}}') GROUP BY term HAVING documents >= $minimum_documents::INTEGER AND weight > 0
ORDER BY weight DESC, term LIMIT $terms::INTEGER"""
ROWS = """{chosen}, grouped AS (
    SELECT unnest($names::VARCHAR[]) AS term, unnest($groups::VARCHAR[]) AS item
), placed AS (
    SELECT w.*, g.item FROM word w JOIN grouped g ON g.term = w.term
)
SELECT model, composite, label, document, item, sum(abs(relevance)) AS size, sum(relevance) AS relevance, count(*) AS occurrences
FROM placed GROUP BY model, composite, label, document, item
UNION ALL
SELECT model, composite, label, document, NULL AS item, sum(abs(relevance)) AS size, sum(relevance) AS relevance, count(*) AS occurrences
FROM word GROUP BY model, composite, label, document
ORDER BY ALL"""
METHOD = "terms grouped by HDBSCAN over their vectors; shares and intervals by bootstrap over documents: in Python"


@dataclass(frozen=True, slots=True)
class Clusters:
    """Groups of terms: `answer` has a row for each group and class, `lexicon` (term, category, weight) is for every query with a lexicon.

    `unplaced` is the share of the relevance of all terms that fits in no group; `grouped` and `terms` are their numbers.
    """

    answer: Answer
    lexicon: pl.DataFrame
    terms: int
    grouped: int
    unplaced: float


def clusters(
    store: Store,
    embed: Embed | None = None,
    *,
    model: str | None = None,
    composite: str | None = None,
    label: str | None = None,
    corpus: str | None = None,
    relevance: str = "for",
    form: str = "lemma",
    terms: int = 300,
    minimum_documents: int = 2,
    minimum_size: int = 3,
    resamples: int = 1000,
    seed: int = 0,
) -> Clusters:
    """Groups the `terms` of most relevance; vectors come from `embed`, without it from the store's own texts.

    Raises InputError for another measure or form, StoreError where there are too few terms.
    """
    for name, value, known in (("relevance", relevance, tuple(MEASURES)), ("form", form, ("lemma", "form"))):
        if value not in known:
            raise InputError("group terms by meaning", f"{name} {value!r}", f"choose one of {', '.join(known)}")
    values: dict[str, Any] = {"model": model, "composite": composite, "label": label, "corpus": corpus, "form": form}
    asked = {**values, "terms": terms, "minimum_documents": minimum_documents}
    found = store.sql(TERMS.format(chosen=CHOSEN, measure=MEASURES[relevance]), asked)
    if len(found) <= max(minimum_size, DIMENSIONS):
        remedy = f"explain more documents, or set minimum_documents below {minimum_documents}"
        raise StoreError("group terms by meaning", f"{len(found):,} terms with relevance in enough documents", remedy)
    names = found["term"].to_list()
    vectors = embed(names) if embed is not None else corpus_vectors(store, names, corpus=corpus, form=form)
    groups = grouped(vectors, minimum_size)
    lexicon = named(found, groups).sort("category", "weight", "term", descending=[False, True, False])
    statement = ROWS.format(chosen=CHOSEN)
    parameters = {**values, "names": lexicon["term"].to_list(), "groups": lexicon["category"].to_list()}
    frame = summary(
        store, statement, parameters, lexicon, cohesion(vectors, groups, found, lexicon), {"resamples": resamples, "seed": seed}
    )
    inside, whole = float(lexicon["weight"].sum()), float(found["weight"].sum())
    unplaced = 1 - inside / whole
    notices = (
        f"{len(lexicon):,} of {len(found):,} terms in {lexicon['category'].n_unique():,} groups; {unplaced:.0%} of their relevance in none",
    )
    ctes = with_parameters(statement[: statement.index("\nSELECT model")], parameters)
    where = "item = {item} AND label IS NOT DISTINCT FROM {label} AND model = {model} AND composite = {composite}"
    answer = Answer(
        title="groups of terms that mean the like",
        frame=frame,
        trust=trust(store, model=model, composite=composite, corpus=corpus, label=label),
        sql=with_parameters(statement, parameters),
        method=METHOD,
        evidence=Evidence("placed", where, None, "relevance", ctes),
        notices=notices,
        parameters=values,
    )
    return Clusters(answer, lexicon, len(found), len(lexicon), unplaced)


def grouped(vectors: Numbers, minimum_size: int) -> NDArray[np.int64]:
    """The group of each vector, -1 for none."""
    reduced = PCA(min(DIMENSIONS, *vectors.shape), random_state=0).fit_transform(vectors)
    found = HDBSCAN(min_cluster_size=minimum_size, min_samples=2, cluster_selection_method="leaf", copy=True).fit(reduced)
    return np.asarray(found.labels_, dtype=np.int64)


def named(found: pl.DataFrame, groups: NDArray[np.int64]) -> pl.DataFrame:
    """Terms with the name of their group, its terms of most relevance; terms of no group are left out."""
    inside = found.with_columns(pl.Series("group", groups)).filter(pl.col("group") >= 0)
    category = pl.col("term").sort_by("weight", "term", descending=[True, False]).head(NAMED).str.join(", ").over("group")
    return inside.with_columns(category.alias("category")).select("term", "category", "weight", "documents", "occurrences")


def cohesion(vectors: Numbers, groups: NDArray[np.int64], found: pl.DataFrame, lexicon: pl.DataFrame) -> pl.DataFrame:
    """Mean cosine of a group's vectors to their centre, by its name."""
    names = dict(lexicon.select("term", "category").rows())
    rows = []
    for group in range(int(groups.max()) + 1):
        inside = vectors[groups == group].astype(np.float64)
        centre = inside.mean(0)
        length = float(np.linalg.norm(centre))
        rows.append(
            (names[found["term"][int(np.flatnonzero(groups == group)[0])]], float((inside @ centre).mean() / length) if length else 0.0)
        )
    return pl.DataFrame(rows, schema={"item": pl.String, "cohesion": pl.Float64}, orient="row")


def summary(
    store: Store, statement: str, parameters: Mapping[str, Any], lexicon: pl.DataFrame, cohesive: pl.DataFrame, draws: Mapping[str, Value]
) -> pl.DataFrame:
    """A row for each group and class: shares and means, how many terms, which, and how well they hang together."""
    found = of_items(store.sql(statement, dict(parameters)), draws)
    members = lexicon.group_by("category", maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("terms"), pl.col("term").head(LISTED).str.join(", ").alias("text")
    )
    whole = found.join(members.rename({"category": "item"}), on="item", how="left", maintain_order="left")
    whole = whole.join(cohesive, on="item", how="left", maintain_order="left")
    first = [*WHO, "share", "share_low", "share_high", "lift", "mean", "low", "high", "documents", "terms", "cohesion"]
    return whole.select(*first, pl.exclude(*first, "text"), "text")
