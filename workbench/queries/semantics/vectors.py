"""Vectors of terms from the company that they keep in the store's own texts, for languages without a sentence encoder.

Positive pointwise mutual information of terms that stand at most `WINDOW` words apart in a sentence, context counts smoothed by the power
0.75, reduced by singular values and scaled to length one (Levy, Goldberg and Dagan 2015). They need texts: in a few hundred posts they say
little.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import svds

from workbench.errors import StoreError
from workbench.store import Store

WINDOW, SMOOTHING, DIMENSION = 5, 0.75, 50
TOGETHER = f"""
WITH word AS MATERIALIZED (
    SELECT w.document, w.role, w.word, w.sentence,
           nfc_normalize(CASE WHEN $form::VARCHAR = 'form' THEN w.form ELSE coalesce(w.lemma, w.form) END) AS term
    FROM words w JOIN documents d ON d.document = w.document
    WHERE ($corpus::VARCHAR IS NULL OR d.corpus = $corpus) AND w.upos IS DISTINCT FROM 'PUNCT' AND w.upos IS DISTINCT FROM 'SPACE'
)
SELECT a.term, b.term AS context, count(*) AS together
FROM word a JOIN word b ON b.document = a.document AND b.role = a.role AND b.sentence IS NOT DISTINCT FROM a.sentence
    AND b.word <> a.word AND b.word BETWEEN a.word - {WINDOW} AND a.word + {WINDOW}
GROUP BY ALL ORDER BY ALL"""


def corpus_vectors(store: Store, terms: Sequence[str], *, corpus: str | None = None, form: str = "lemma") -> NDArray[np.float32]:
    """Vectors `(term dim)` of length one, zero for a term without company. StoreError for texts that have too few words."""
    rows = store.sql(TOGETHER, {"corpus": corpus, "form": form})
    names = sorted(set(rows["term"]) | set(rows["context"]) | set(terms))
    places = {name: place for place, name in enumerate(names)}
    at = [np.array([places[name] for name in rows[column]], np.int64) for column in ("term", "context")]
    counts = sparse.coo_array((rows["together"].to_numpy().astype(np.float64), (at[0], at[1])), shape=(len(names),) * 2).tocoo()
    dimension = min(DIMENSION, len(names) - 2)
    if dimension < 2 or not counts.nnz:
        raise StoreError("take vectors of terms from the corpus", f"{len(names):,} different words", "name a sentence encoder")
    own = np.asarray(counts.sum(1)).ravel()
    context = np.asarray(counts.sum(0)).ravel() ** SMOOTHING
    context /= context.sum()
    information = np.log(counts.data / (own[counts.coords[0]] * context[counts.coords[1]]))
    positive = sparse.csr_array((np.maximum(information, 0), counts.coords), shape=counts.shape)
    left, sizes, _ = svds(positive, k=dimension, rng=np.random.default_rng(0))
    vectors = left * np.sqrt(sizes)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return np.asarray(scaled[[places[term] for term in terms]], np.float32)
