"""Layers of position relevance added up in three ways, on paper; rollout against a slow loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.evaluation.models_by_hand import BagOfWords, plain_text, small_bert
from workbench.encoding import Encoding
from workbench.errors import ModelError
from workbench.evaluation.planted_encoders import POSITION_ENCODINGS, PositionEncoding, tiny_encoder
from workbench.evaluation.positions import by_place, from_first_token
from workbench.evaluation.rollout import rollout
from workbench.relevance import ACCOUNTS, Explanation, Ledger, PositionRelevance


def explanation(*layers: PositionRelevance) -> Explanation:
    none = np.zeros(3, np.float32)
    return Explanation(none, none, none, Ledger(0.0, dict.fromkeys(ACCOUNTS, 0.0)), position_layers=layers)


def test_layers_that_disagree_add_up_in_three_ways() -> None:
    first = PositionRelevance("rotary", 0, 0, np.array([1, -2, 3], np.float32))
    second = PositionRelevance("rotary", 1, 0, np.array([1, 2, -1], np.float32))
    found = explanation(first, second)
    assert by_place(found).tolist() == [2, 0, 2]
    assert by_place(found, "positive").tolist() == [2, 2, 3]
    assert by_place(found, "absolute").tolist() == [2, 4, 4]
    assert from_first_token(found).tolist() == [0, 0, 0]


def test_a_distance_from_the_first_token_is_a_place() -> None:
    layer = PositionRelevance("relative", 0, -2, np.array([50, 60, 0, 7, 8], np.float32))
    assert from_first_token(explanation(layer)).tolist() == [0, 7, 8]
    assert by_place(explanation(layer)).tolist() == [0, 0, 0]


def encoding(ids: list[int]) -> Encoding:
    return Encoding(tuple(ids), ("x",) * len(ids), ((0, 1),) * len(ids), (False,) * len(ids))


@pytest.mark.parametrize("positions", POSITION_ENCODINGS)
def test_rollout_equals_a_slow_product_of_matrices_and_leaves_the_model_alone(positions: PositionEncoding) -> None:
    torch.manual_seed(0)
    model = tiny_encoder(positions, 40).eval()
    hooks = [len(module._forward_hooks) for module in model.modules()]
    texts = [[1, 20, 21, 22, 2], [1, 30, 2], [1, 22, 21, 20, 2]]
    found = rollout(model, [encoding(ids) for ids in texts])
    assert [len(module._forward_hooks) for module in model.modules()] == hooks
    twin = tiny_encoder(positions, 40).eval()
    twin.load_state_dict(model.state_dict())
    twin.set_attn_implementation("eager")
    for ids, values in zip(texts, found, strict=True):
        with torch.inference_mode():
            weights = twin(input_ids=torch.tensor([ids]), output_attentions=True).attentions
        product = torch.eye(len(ids))
        for layer in weights:
            product = (0.5 * layer[0].mean(0) + 0.5 * torch.eye(len(ids))) @ product
        np.testing.assert_allclose(values, product[0], atol=1e-6)
        assert values.sum() == pytest.approx(1, abs=1e-6)


def test_rollout_needs_attention() -> None:
    text = plain_text([4, 5])
    with pytest.raises(ModelError, match="BagOfWords"):
        rollout(BagOfWords([0.0] * 8), text.encodings)
    assert rollout(small_bert(), text.encodings)[0].shape == (4,)
