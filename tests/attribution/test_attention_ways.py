"""A composite's numbers do not depend on how the model was loaded: fused and written-out attention agree under each of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.attribution.families import FAMILIES, Double, build, inputs, target, texts
from workbench.attribution.trace import record
from workbench.rules.composite import COMPOSITES

BY_NAME = {family.name: family for family in FAMILIES}


@pytest.mark.parametrize("name", ["BERT", "Llama", "T5"])
@pytest.mark.parametrize("composite", sorted(COMPOSITES))
def test_fused_and_eager_attention_agree(name: str, composite: str) -> None:
    family = BY_NAME[name]
    given = {**inputs(family, texts(1, 6)), **({} if family.task == "classifier" else {"use_cache": False})}
    answers = []
    for attention in ("sdpa", "eager"):
        with Double():
            traced = record(build(family, attention=attention, gain=2.0), given, composite)
        answers.append(traced.explain(target(family, traced.logits.detach())))
    assert torch.get_default_dtype() == torch.float32
    for fused, eager in zip(*answers, strict=True):
        # softmax without its bias divides by sums that may vanish: rounding grows with the sizes that it reaches
        scale = max(abs(fused.ledger.target), *map(abs, fused.ledger.accounts.values()))
        bound = 1e-5 if "omit" in composite or "distribute" in composite else 1e-7
        np.testing.assert_allclose(fused.tokens, eager.tokens, rtol=1e-5, atol=bound * scale)
        assert eager.ledger.accounts == pytest.approx(fused.ledger.accounts, rel=1e-6, abs=bound * scale)
