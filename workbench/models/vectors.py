"""Vectors of terms from a sentence encoder: words and phrases that mean the like lie near each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer

from workbench.errors import ModelError
from workbench.models.encoder import load_encoder

#: Share of terms with a token that the tokenizer does not know, above which its vectors say nothing of a language.
UNKNOWN = 0.5


def term_vectors(terms: Sequence[str], encoder: str) -> NDArray[np.float32]:
    """Vectors `(term dim)` of length one. ModelError for an encoder that cannot be loaded, or whose tokenizer does not know the terms."""
    loaded = load_encoder(encoder)
    unknown = loaded.tokenizer.unk_token_id
    lost = sum(unknown in loaded.tokenizer(term, add_special_tokens=False)["input_ids"] for term in terms) if unknown is not None else 0
    if terms and lost / len(terms) > UNKNOWN:
        found = f"a tokenizer that does not know {lost:,} of {len(terms):,} terms"
        raise ModelError(f"take vectors of terms from {encoder}", found, "name an encoder of their language, or take vectors=corpus")
    module = loaded.module
    assert isinstance(module, SentenceTransformer)
    return np.asarray(module.encode(list(terms), normalize_embeddings=True, show_progress_bar=False), dtype=np.float32)
