"""Padding on either side takes no part: a text in a padded batch has the numbers that it has alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.attribution.families import FAMILIES, Family, build, texts
from workbench.attribution import targets
from workbench.attribution.inputs import batches, encoded
from workbench.attribution.trace import explain, record, trace
from workbench.errors import PropagationError
from workbench.rules.composite import COMPOSITES

BY_NAME = {family.name: family for family in FAMILIES}
ENCODERS = [family for family in FAMILIES if family.task == "classifier"]
DECODERS = [family for family in FAMILIES if family.task == "causal" and not family.single]
SEQ2SEQ = [family for family in FAMILIES if family.task == "seq2seq"]
MIXED = [*texts(2, 5, seed=1), *texts(1, 12, seed=2), *texts(1, 9, seed=3)]


@pytest.mark.parametrize("family", ENCODERS, ids=lambda family: family.name)
@pytest.mark.parametrize("composite", ["attnlrp", "gradient_x_input"])
def test_texts_padded_on_the_right_are_as_alone(family: Family, composite: str) -> None:
    model = build(family, gain=2.0)
    together = trace(model, MIXED, composite).explain(targets.label(trace(model, MIXED, composite).logits.argmax(1)))
    for text, explanation in zip(MIXED, together, strict=True):
        alone = explain(model, [text], composite)[0]
        assert len(explanation.tokens) == len(text)
        np.testing.assert_allclose(explanation.tokens, alone.tokens, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(explanation.positions, alone.positions, rtol=1e-4, atol=1e-6)
        assert explanation.ledger.accounts == pytest.approx(alone.ledger.accounts, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("family", DECODERS, ids=lambda family: family.name)
@pytest.mark.parametrize("side", ["right", "left"])
def test_the_next_token_of_padded_texts_is_as_alone(family: Family, side: str) -> None:
    # Eager attention of the library itself is not a number for padding in front in float64: its mask overflows there.
    model = build(family, gain=2.0, dtype=torch.float32 if family.attention == "eager" else torch.float64)
    if side == "left" and family.name in ("BLOOM", "Mamba", "Mamba-2"):
        with pytest.raises(PropagationError, match="position_ids"):
            encoded(model, MIXED, side)
        return
    together = record(model, {**encoded(model, MIXED, side), "use_cache": False}, "palrp").explain(targets.next_token())
    for text, explanation in zip(MIXED, together, strict=True):
        alone = record(model, {**encoded(model, [text]), "use_cache": False}, "palrp").explain(targets.next_token())[0]
        np.testing.assert_allclose(explanation.tokens, alone.tokens, rtol=1e-4, atol=2e-6)
        np.testing.assert_allclose(explanation.positions, alone.positions, rtol=1e-4, atol=2e-6)
        assert explanation.ledger.accounts == pytest.approx(alone.ledger.accounts, rel=1e-4, abs=2e-6)


@pytest.mark.parametrize("family", SEQ2SEQ, ids=lambda family: family.name)
def test_padded_sources_and_targets_are_as_alone(family: Family) -> None:
    model = build(family, gain=1.5)
    sources, goals = MIXED, [*texts(2, 3, seed=4), *texts(1, 6, seed=5), *texts(1, 2, seed=6)]

    def given(chosen: list[int]) -> dict[str, object]:
        source, goal = encoded(model, [sources[i] for i in chosen]), encoded(model, [goals[i] for i in chosen])
        return source | {"decoder_input_ids": goal["input_ids"], "decoder_attention_mask": goal["attention_mask"], "use_cache": False}

    together = record(model, given([0, 1, 2, 3])).explain(targets.next_token())
    for place, explanation in enumerate(together):
        alone = record(model, given([place])).explain(targets.next_token())[0]
        np.testing.assert_allclose(explanation.tokens, alone.tokens, rtol=1e-4, atol=2e-6)
        np.testing.assert_allclose(explanation.decoder_inputs, alone.decoder_inputs, rtol=1e-4, atol=2e-6)
        assert explanation.ledger.accounts == pytest.approx(alone.ledger.accounts, rel=1e-4, abs=2e-6)


def test_padded_batches_hold_texts_of_about_one_length() -> None:
    mixed = [text for length in (9, 3, 7, 5, 4) for text in texts(1, length)]
    assert [[len(mixed[place]) for place in places] for places in batches(mixed, 2)] == [[3, 4], [5, 7], [9]]
    model = build(BY_NAME["BERT"])
    by_length, padded = explain(model, mixed), explain(model, mixed, padded=3)
    for left, right in zip(by_length, padded, strict=True):
        np.testing.assert_allclose(left.tokens, right.tokens, rtol=1e-5, atol=1e-7)


def test_every_composite_is_padded_alike() -> None:
    model = build(BY_NAME["BERT"])
    for composite in COMPOSITES:
        for left, right in zip(explain(model, MIXED, composite), explain(model, MIXED, composite, padded=4), strict=True):
            np.testing.assert_allclose(left.tokens, right.tokens, rtol=1e-4, atol=1e-6)
