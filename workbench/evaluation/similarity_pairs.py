"""What the study of similarity is asked about: the encoder, pairs of the STS benchmark, gold alignments; and what is not at hand."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np

from workbench import corpora
from workbench.document import Document
from workbench.errors import InputError, WorkbenchError
from workbench.evaluation.similarity_alignment import SETS, Aligned, gold_pairs
from workbench.models.encoder import Encoder, load_encoder
from workbench.models.places import PACKAGED

#: Encoders that are looked for, the first one that is there is taken: the one that published figures are about, and the embedded one.
ENCODERS = (*PACKAGED, "multilingual-similarity")
STSB, SAMPLE = "stsb-multilingual", "similarity-multilingual-sample"


def first_encoder(model: str | None, left_out: list[str]) -> Encoder | None:
    """The encoder asked for, or the first one that is there; None where none is."""
    if model is not None:
        return load_encoder(model)
    for name in ENCODERS:
        if name in PACKAGED and find_spec(PACKAGED[name][0]) is None:
            left_out.append(f"{name}: the package that brings it is not installed")
            continue
        try:
            return load_encoder(name)
        except WorkbenchError as error:
            left_out.append(f"{name}: {error.found}")
    return None


def texts_of(document: Document) -> tuple[str, str]:
    """The two texts of a pair."""
    return document.segments["text_a"], document.segments["text_b"]


def sts_documents(limit: int, seed: int, left_out: list[str], split: str = "test") -> tuple[list[Document], str]:
    """English pairs of the STS benchmark drawn by seed, or of the embedded sample where the benchmark is not at hand; and which."""
    try:
        found, source = list(corpora.read(corpora.find(STSB), split, languages="en")), f"{STSB} {split}"
    except InputError as error:
        left_out.append(f"{STSB}: {error.found}; pairs are those of {SAMPLE}")
        found, source = list(corpora.read(corpora.find(SAMPLE), languages="en")), SAMPLE
    chosen = np.random.default_rng(seed).permutation(len(found))[:limit]
    return [found[place] for place in sorted(chosen.tolist())], source


def gold_sets(limit: int, seed: int, left_out: list[str]) -> dict[str, list[Aligned]]:
    """Pairs of every gold set that is at hand."""
    found = {}
    for name in SETS:
        try:
            found[name] = gold_pairs(name, limit, seed)
        except InputError as error:
            left_out.append(f"{name}: {error.found}")
    return found
