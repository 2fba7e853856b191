"""The student before training: layers copied from the teacher, pieces that start where their English translations stand."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import BertModel, ElectraConfig, ElectraModel, PreTrainedTokenizerFast

from pipelines.training.multilingual_encoder.alignment import mutual
from pipelines.training.multilingual_encoder.rows import LANGUAGES, Row
from pipelines.training.multilingual_encoder.subwords import WINDOW

WIDTH, KEPT = 128, (0, 2, 5)
"""Width of the embedding table, and the teacher's layers that the student keeps."""
LONGEST = 40
"""Longer sentences are left out where pieces are aligned: their cells grow with the square of the length."""

Table = NDArray[np.float64]
Ids = dict[str, list[list[int]]]


def student(
    rows: list[Row], tokenizer: PreTrainedTokenizerFast, teacher: BertModel, english: PreTrainedTokenizerFast, seed: int
) -> ElectraModel:
    """An ELECTRA encoder (a narrow table projected to the teacher's width) that answers a little like the teacher from the start."""
    settings = teacher.config
    config = ElectraConfig(
        vocab_size=len(tokenizer),
        embedding_size=WIDTH,
        hidden_size=settings.hidden_size,
        num_hidden_layers=len(KEPT),
        num_attention_heads=settings.num_attention_heads,
        intermediate_size=settings.intermediate_size,
        max_position_embeddings=WINDOW,
        type_vocab_size=1,
        pad_token_id=tokenizer.pad_token_id,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    model = ElectraModel(config)
    for place, layer in enumerate(KEPT):
        model.encoder.layer[place].load_state_dict(teacher.encoder.layer[layer].state_dict())
    meanings, counts = piece_meanings(rows, tokenizer, teacher, english)
    narrow(model, teacher, meanings, counts, seed)
    return model


def piece_meanings(
    rows: list[Row], tokenizer: PreTrainedTokenizerFast, teacher: BertModel, english: PreTrainedTokenizerFast
) -> tuple[Table, Table]:
    """A place (piece 384) among the teacher's piece embeddings for every piece of the student, and how often each stands in the texts.

    A piece's English reading is the mean over the teacher's pieces of its letters; its reading in another language the mean over the
    teacher's pieces that translate it, weighted by alignment. They are averaged by how often the piece is used in each language.
    """
    table = teacher.embeddings.word_embeddings.weight.detach().double().numpy()
    pieces = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    known = english.get_vocab()
    meanings = np.stack([table[ids].mean(0) for ids in (letters(piece, english, known) for piece in pieces)])
    total = np.zeros(len(pieces))
    summed = np.zeros_like(meanings)
    for language in LANGUAGES:
        chosen = [row for row in rows if language in row.texts]
        own = inside(tokenizer, [row.texts[language] for row in chosen])
        used = np.bincount(np.concatenate([np.asarray(ids, dtype=np.int64) for ids in own]), minlength=len(pieces)).astype(float)
        used *= 1e6 / used.sum()
        reading = meanings
        if language != "en":
            there = inside(english, [row.texts["en"] for row in chosen])
            pairs = [pair for pair in zip(own, there, strict=True) if max(map(len, pair)) <= LONGEST]
            weights = mutual(pairs, (len(pieces), len(table)))
            strength = np.asarray(weights.sum(axis=1)).ravel()
            translated = (weights @ table) / np.maximum(strength, 1e-9)[:, None]
            reading = np.where(strength[:, None] > 0.01, translated, meanings)
        summed += used[:, None] * reading
        total += used
    found = total > 0
    meanings[found] = summed[found] / total[found, None]
    return meanings, total


def inside(tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> list[list[int]]:
    """Ids of each text without special tokens."""
    return [list(ids) for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]]


def letters(piece: str, english: PreTrainedTokenizerFast, known: dict[str, int]) -> list[int]:
    """The teacher's ids for a piece's letters: special tokens are their own, the inside of a word starts inside a word."""
    if piece in known:
        return [known[piece]]
    plain = piece.removeprefix("##")
    ids = list(english(plain, add_special_tokens=False)["input_ids"])
    if not ids:
        return [known["[UNK]"]]
    if piece.startswith("##"):
        first = f"##{english.convert_ids_to_tokens(ids[0])}"
        ids[0] = known.get(first, ids[0])
    return ids


def narrow(model: ElectraModel, teacher: BertModel, meanings: Table, counts: Table, seed: int) -> None:
    """Writes table, positions and projection: principal components of what the teacher's first layer would get, weighted by use."""
    layer: Any = teacher.embeddings
    types = layer.token_type_embeddings.weight[0].detach().double()
    positions = layer.position_embeddings.weight.detach().double()[:WINDOW]
    normed = torch.nn.functional.layer_norm
    scale, shift = layer.LayerNorm.weight.detach().double(), layer.LayerNorm.bias.detach().double()
    plain = torch.from_numpy(meanings) + types + positions[1:20].mean(0)
    inputs = normed(plain, plain.shape[-1:], scale, shift, layer.LayerNorm.eps)
    use = torch.from_numpy(np.sqrt(counts + 1.0))
    use /= use.sum()
    centre = use @ inputs
    moved = inputs - centre
    basis = torch.linalg.eigh(moved.T @ (use[:, None] * moved)).eigenvectors[:, -WIDTH:]
    # turned at random, so that no coordinate stands out and their mean, which the norm takes away, is next to nothing
    turn = torch.linalg.qr(torch.randn(WIDTH, WIDTH, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)).Q
    basis = basis @ turn
    coordinates = moved @ basis
    size = (use[:, None] * coordinates.square()).sum(0).mean().sqrt()
    steps = (positions - positions.mean(0)) * scale * (1 / plain.std(1)).mean() @ basis
    with torch.no_grad():
        model.embeddings.word_embeddings.weight.copy_(coordinates / size)
        model.embeddings.position_embeddings.weight.copy_(steps / size)
        model.embeddings.token_type_embeddings.weight.zero_()
        model.embeddings_project.weight.copy_(basis * size)
        model.embeddings_project.bias.copy_(centre)
