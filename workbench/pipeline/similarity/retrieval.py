"""Retrieval: each query with the passages that its embedding is nearest to, long passages read in windows.

A passage ranks as the window that is nearest. Queries and passages become pairs, which are explained like any other: why was this ranked?
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from workbench import corpora
from workbench.attribution.factors import sentence_embedding
from workbench.attribution.inputs import batches, encoded
from workbench.corpora import Collection, Declaration, Report
from workbench.document import Document
from workbench.encoding import Encoding
from workbench.errors import InputError
from workbench.models.encode import encode
from workbench.models.encoder import Encoder
from workbench.pipeline.declaration import Pipeline, RetrievalChoice
from workbench.pipeline.worker import Progress

#: Texts in one forward pass; those of about one length stand together.
TOGETHER = 32


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a passage that the model sees whole: the code points from `start` to `end`, which is exclusive."""

    passage: int
    start: int
    end: int


def retrieved(pipeline: Pipeline, encoder: Encoder, progress: Progress) -> tuple[Declaration, list[Document], Report]:
    """A document for each query and each of its best passages: roles `query` and `passage`, rank and judgement in its metadata."""
    choice = pipeline.retrieval or RetrievalChoice()
    declaration = corpora.find(pipeline.corpus.name)
    collection = corpora.collection(declaration, pipeline.corpus.split, pipeline.corpus.limit, choice.passages)
    texts = [passage.segments["passage"] for passage in collection.passages]
    found = [window for index, text in enumerate(texts) for window in windows(encoder, index, text, choice.window or encoder.window)]
    parts = [texts[window.passage][window.start : window.end] for window in found]
    vectors = embeddings(encoder, parts, progress)
    asked = embeddings(encoder, [query.segments["query"] for query in collection.queries], progress)
    measure = pipeline.similarity.measure if pipeline.similarity else "cosine"
    scores = unit(asked, measure) @ unit(vectors, measure).T
    pairs = [
        document
        for query, row in zip(collection.queries, scores, strict=True)
        for document in ranked(query, row, found, parts, collection, choice.top)
    ]
    return declaration, pairs, Report()


def windows(encoder: Encoder, passage: int, text: str, size: int) -> list[Window]:
    """The whole text where the model sees it whole, otherwise windows of at most `size` tokens that end between words.

    No character but white space is left out, and none is read twice.
    """
    given = encoder.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, truncation=False, verbose=False)
    spans, words = given["offset_mapping"], given.word_ids()
    room = min(size, encoder.window) - encoder.tokenizer.num_special_tokens_to_add()
    found, first = [], 0
    while first < len(spans):
        last = min(first + room, len(spans))
        while last < len(spans) and last > first + 1 and words[last] == words[last - 1]:
            last -= 1  # a word is not cut in two, unless it is longer than a window
        found.append(Window(passage, spans[first][0], spans[last - 1][1]))
        first = last
    return found


def embeddings(encoder: Encoder, texts: Sequence[str], progress: Progress) -> NDArray[np.float32]:
    """Embeddings `(text dim)` by plain forward passes."""
    encodings: list[Encoding] = []
    for text in texts:
        try:
            encodings.append(encode(encoder.tokenizer, text, encoder.window))
        except InputError as error:
            raise InputError(f"search with {encoder.name}", error.found, "leave the text out of the corpus") from error
    vectors = np.zeros((len(texts), encoder.dimension), np.float32)
    done = 0
    for places in batches(encodings, TOGETHER):
        with torch.no_grad():
            made = sentence_embedding(encoder.module, encoded(encoder.module, [encodings[place] for place in places]))
        vectors[places] = made.to(torch.float32).cpu().numpy()
        done += len(places)
        progress("search", done, len(texts))
    return vectors


def unit(vectors: NDArray[np.float32], measure: str) -> NDArray[np.float64]:
    """Vectors of length 1 for the cosine, as they are for the dot product."""
    wide = vectors.astype(np.float64)
    return wide / np.linalg.norm(wide, axis=1, keepdims=True).clip(1e-30) if measure == "cosine" else wide


def ranked(
    query: Document, scores: NDArray[np.float64], found: Sequence[Window], parts: Sequence[str], collection: Collection, top: int
) -> list[Document]:
    """Pairs of a query and its `top` passages, each by its best window."""
    best: dict[int, int] = {}
    for place in np.argsort(-scores, kind="stable"):
        best.setdefault(found[place].passage, int(place))
        if len(best) == top:
            break
    relevant = collection.relevant(query.identifier)
    judged = any(judgement.query == query.identifier for judgement in collection.judgements)
    documents = []
    for rank, (passage, place) in enumerate(best.items(), start=1):
        name, window = collection.passages[passage].identifier, found[place]
        documents.append(
            Document(
                corpus=query.corpus,
                identifier=f"{query.identifier}~{name}@{window.start}",
                segments={"query": query.segments["query"], "passage": parts[place]},
                label=("relevant" if name in relevant else "not judged relevant") if judged else None,
                split=query.split,
                language=query.language,
                metadata={
                    "query": query.identifier,
                    "passage": name,
                    "rank": rank,
                    "window": [window.start, window.end],
                    **({"relevant": len(relevant)} if judged else {}),
                },
            )
        )
    return documents
