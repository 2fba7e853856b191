"""How good an output is beside its reference: sentence BLEU and chrF (sacrebleu), and similarity in meaning by a sentence encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from workbench.corpora import language_of
from workbench.models.encoder import Encoder
from workbench.pipeline.declaration import TranslationChoice

if TYPE_CHECKING:
    from workbench.pipeline.translation.keep import Ready


class Judge:
    """The qualities of the outputs of a job; each different text is embedded once."""

    def __init__(self, made: Sequence[Ready], encoder: Encoder | None, choice: TranslationChoice) -> None:
        self.bleu, self.chrf = BLEU(effective_order=True), CHRF()
        self.known = choice.encoder.languages if choice.encoder else ()
        texts = list(dict.fromkeys(text for one in made for text in (one.text, *compared(one, self.known).values())))
        self.embedded = embeddings(encoder, texts) if encoder and self.known else {}

    def of(self, one: Ready) -> dict[str, float]:
        """Scores of one output: `bleu` and `chrf` (0 to 100), `similarity_to_source` and `similarity_to_reference` (cosine)."""
        scores: dict[str, float] = {}
        reference = one.item.document.segments.get("reference")
        if reference is not None:
            scores["bleu"] = float(self.bleu.sentence_score(one.text, [reference]).score)
            scores["chrf"] = float(self.chrf.sentence_score(one.text, [reference]).score)
        if self.embedded and one.text.strip():
            for role, text in compared(one, self.known).items():
                scores[f"similarity_to_{role}"] = float(self.embedded[one.text] @ self.embedded[text])
        return scores


def compared(one: Ready, known: Sequence[str]) -> dict[str, str]:
    """The texts that an output is compared with, by role: those in a language that the encoder knows, if it knows that of the output."""
    document = one.item.document
    if (language_of(document, "reference") or one.system.languages[1]) not in known:
        return {}
    sides = {"source": language_of(document, "source") or one.system.languages[0], "reference": language_of(document, "reference")}
    return {role: document.segments[role] for role, language in sides.items() if language in known and role in document.segments}


def embeddings(encoder: Encoder, texts: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """Embeddings of texts, of length one."""
    if not texts:
        return {}
    found = np.asarray(encoder.module.encode(list(texts), batch_size=64, show_progress_bar=False), np.float64)  # type: ignore[operator]
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    return dict(zip(texts, found / np.maximum(lengths, 1e-12), strict=True))
