"""Does BiLRP say what an encoder relies on? Perturbation, agreement with people, and an encoder whose reasons are known, in one study."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

import polars as pl

from workbench.errors import InputError
from workbench.evaluation import similarity_alignment, similarity_perturbation
from workbench.evaluation.similarity_methods import METHODS
from workbench.evaluation.similarity_nouns import NounSettings
from workbench.evaluation.similarity_nouns_run import NounStudy, noun_study
from workbench.evaluation.similarity_pairs import first_encoder, gold_sets, sts_documents, texts_of
from workbench.models.encode import encode

Part: TypeAlias = Literal["perturbation", "alignment", "nouns"]
PARTS: tuple[Part, ...] = get_args(Part)

#: Told of each part: its name, steps done, steps in all.
Progress: TypeAlias = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class SimilarityStudy:
    """What each part found, and why something was left out."""

    encoder: str = ""
    source: str = ""
    perturbation: pl.DataFrame | None = None
    alignment: pl.DataFrame | None = None
    nouns: NounStudy | None = None
    left_out: list[str] = field(default_factory=list)

    def to_json(self) -> str:
        """All figures as JSON (sorted keys)."""
        frames = {"perturbation": self.perturbation, "alignment": self.alignment}
        found: dict[str, object] = {name: None if frame is None else frame.to_dicts() for name, frame in frames.items()}
        found |= {"encoder": self.encoder, "pairs_from": self.source, "left_out": self.left_out}
        return json.dumps(found | {"nouns": self.nouns.row() if self.nouns else None}, sort_keys=True, indent=1)


def similarity_study(
    parts: Sequence[Part] = PARTS,
    *,
    model: str | None = None,
    pairs: int = 200,
    seed: int = 0,
    methods: Sequence[str] = tuple(METHODS),
    nouns: NounSettings | None = None,
    progress: Progress = lambda *_: None,
) -> SimilarityStudy:
    """Runs the parts on at most `pairs` pairs of each set; what is not at hand is left out and named.

    Raises InputError for an unknown part or method, ModelError for a named model that cannot be loaded.
    """
    if unknown := set(parts) - set(PARTS):
        raise InputError("evaluate similarity", f"unknown parts {', '.join(sorted(unknown))}", f"choose among {', '.join(PARTS)}")
    left_out: list[str] = []
    encoder = first_encoder(model, left_out) if {"perturbation", "alignment"} & set(parts) else None
    perturbed = agreed = known = None
    source = ""
    if encoder and "perturbation" in parts:
        documents, source = sts_documents(pairs, seed, left_out)
        encoded = [tuple(encode(encoder.tokenizer, text, encoder.window) for text in texts_of(document)) for document in documents]
        found = similarity_perturbation.perturbation(
            encoder.module, [(one, other) for one, other in encoded], methods, lambda done, total: progress("perturbation", done, total)
        )
        perturbed = similarity_perturbation.summary(found, seed)
    if encoder and "alignment" in parts:
        sets = gold_sets(pairs, seed, left_out)
        compared = [name for name in methods if name in similarity_alignment.COMPARED]
        found = similarity_alignment.alignment(encoder, sets, compared, progress)
        agreed = similarity_alignment.summary(found, seed) if sets else None
    if "nouns" in parts:
        known = noun_study(nouns or NounSettings(seed=seed), methods, left_out, lambda done, total: progress("nouns", done, total))
    return SimilarityStudy(encoder.name if encoder else "", source, perturbed, agreed, known, left_out)
