"""Every way to interactions against a slow way that shares no code with it, on tiny encoders with random weights in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.evaluation.similarity_encoders import TinyEncoder, embedding, text
from workbench.errors import InputError, ModelError
from workbench.evaluation import similarity_methods
from workbench.evaluation.similarity_encoder import directional, embedding_layer, states
from workbench.evaluation.similarity_methods import METHODS, interaction_matrices

LEFT, RIGHT = text(10, 11, 12), text(20, 11, 21, 12, 22)
PAIRS = [(LEFT, RIGHT), (RIGHT, LEFT), (LEFT, LEFT)]


def pooled(model: TinyEncoder, ids: tuple[int, ...], inputs: torch.Tensor) -> torch.Tensor:
    """The embedding before it is normalised where the embedding layer gives `inputs`, by a hook of its own."""
    rows = torch.tensor([ids])
    handle = embedding_layer(model).register_forward_hook(lambda *_: inputs[None])
    states_ = model.transformer(input_ids=rows, attention_mask=torch.ones_like(rows)).last_hidden_state
    handle.remove()
    return states_[0].mean(0)


def layer_output(model: TinyEncoder, ids: tuple[int, ...]) -> torch.Tensor:
    """What the embedding layer gives."""
    layer = embedding_layer(model)
    return layer(torch.tensor([ids]))[0]


@pytest.mark.parametrize("name", ["BERT", "DistilBERT", "Qwen2"])
@pytest.mark.parametrize("normalize", [True, False])
def test_hessian_x_product_equals_the_jacobians_of_autograd(name: str, normalize: bool) -> None:
    model = TinyEncoder(name, normalize=normalize)
    rows = []
    for ids in (LEFT.ids, RIGHT.ids):
        inputs = layer_output(model, ids)
        jacobian = torch.autograd.functional.jacobian(lambda x, ids=ids: pooled(model, ids, x), inputs)  # (dim token width)
        rows.append(torch.einsum("dtw,tw->td", jacobian, inputs) / pooled(model, ids, inputs).norm())
    found = interaction_matrices(model, [(LEFT, RIGHT)], "hessian_x_product")[0]
    atol = 1e-7 if name == "Qwen2" else 1e-12  # its norms compute in float32
    np.testing.assert_allclose(found, (rows[0] @ rows[1].T).numpy(), rtol=1e-8, atol=atol)


def test_many_texts_at_once_have_the_same_derivatives(monkeypatch: pytest.MonkeyPatch) -> None:
    model = TinyEncoder()
    texts = [text(*range(start, start + 4)) for start in range(10, 17)]
    together = METHODS["hessian_x_product"].rows(model, texts)
    monkeypatch.setattr("workbench.evaluation.similarity_encoder.TANGENT_TOKENS", 20)
    monkeypatch.setattr(similarity_methods, "TOGETHER", 80)
    for row, encoding in zip(together, texts, strict=True):
        np.testing.assert_allclose(row.tokens, METHODS["hessian_x_product"].rows(model, [encoding])[0].tokens, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("method", ["bilrp", "attnlrp", "bilrp_embeddings", "integrated_jacobians"])
@pytest.mark.parametrize("normalize", [True, False])
def test_methods_that_account_for_everything_sum_to_the_embedding(method: str, normalize: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similarity_methods, "STEPS", 60)
    model = TinyEncoder(normalize=normalize, gain=1.5)
    for encoding, rows in zip((LEFT, RIGHT), METHODS[method].rows(model, [LEFT, RIGHT]), strict=True):
        assert rows.rest is not None
        np.testing.assert_allclose(rows.tokens.sum(0) + rows.rest, embedding(model, encoding.ids), atol=2e-6)


def frozen(model: TinyEncoder, ids: tuple[int, ...], inputs: torch.Tensor) -> torch.Tensor:
    """A BERT by hand: attention weights, norm scales and GELU ratios of the true text are constants; biases stay."""

    def norm(layer: torch.nn.LayerNorm, x: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
        scale = (true.var(-1, unbiased=False, keepdim=True) + layer.eps).sqrt()
        return (x - x.mean(-1, keepdim=True)) / scale * layer.weight + layer.bias

    x, true = inputs, layer_output(model, ids)
    for layer in model.transformer.encoder.layer:
        own, results = layer.attention.self, []
        heads = [part.unflatten(-1, (2, 8)).transpose(0, 1) for part in (own.query(true), own.key(true))]
        weights = (heads[0] @ heads[1].mT / 8**0.5).softmax(-1)
        for value in (x, true):
            mixed = (weights @ own.value(value).unflatten(-1, (2, 8)).transpose(0, 1)).transpose(0, 1).flatten(-2)
            results.append(layer.attention.output.dense(mixed) + value)
        x, true = (norm(layer.attention.output.LayerNorm, value, results[1]) for value in results)
        before = layer.intermediate.dense(true)
        ratio = torch.nn.functional.gelu(before) / before
        results = [layer.output.dense(layer.intermediate.dense(value) * ratio) + value for value in (x, true)]
        x, true = (norm(layer.output.LayerNorm, value, results[1]) for value in results)
    return x.mean(0)


def test_bilrp_as_published_is_gradient_times_input_of_the_frozen_network() -> None:
    model = TinyEncoder()
    rows = []
    for ids in (LEFT.ids, RIGHT.ids):
        inputs = layer_output(model, ids)
        np.testing.assert_allclose(frozen(model, ids, inputs).numpy(), pooled(model, ids, inputs).numpy(), rtol=1e-9)
        jacobian = torch.autograd.functional.jacobian(lambda x, ids=ids: frozen(model, ids, x), inputs)
        rows.append(torch.einsum("dtw,tw->td", jacobian, inputs) / pooled(model, ids, inputs).norm())
    found = interaction_matrices(model, [(LEFT, RIGHT)], "bilrp_embeddings")[0]
    np.testing.assert_allclose(found, (rows[0] @ rows[1].T).numpy(), rtol=1e-6, atol=1e-9)


def test_integrated_jacobians_equal_simpsons_rule_with_autograd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similarity_methods, "STEPS", 30)
    model = TinyEncoder(gain=1.0)
    rows = []
    for encoding in (LEFT, RIGHT):
        filler = tuple(token if hidden else 0 for token, hidden in zip(encoding.ids, encoding.special, strict=True))
        end, start = layer_output(model, encoding.ids), layer_output(model, filler)
        total = torch.zeros(len(encoding), 16, dtype=torch.float64)
        for step in range(41):
            point = start + step / 40 * (end - start)
            weight = (1 if step in (0, 40) else 4 if step % 2 else 2) / 120
            jacobian = torch.autograd.functional.jacobian(
                lambda x, ids=encoding.ids: torch.nn.functional.normalize(pooled(model, ids, x), dim=0), point
            )
            total += torch.einsum("dtw,tw->td", jacobian, end - start) * weight
        rows.append(total)
    found = interaction_matrices(model, [(LEFT, RIGHT)], "integrated_jacobians")[0]
    np.testing.assert_allclose(found, (rows[0] @ rows[1].T).numpy(), atol=2e-4)
    assert not found[0].any(), "a special token is no different in the reference"


def test_leave_one_out_is_inclusion_and_exclusion_of_four_similarities() -> None:
    model = TinyEncoder()
    found = interaction_matrices(model, [(LEFT, RIGHT)], "leave_one_out")[0]

    def similarity(left: tuple[int, ...], right: tuple[int, ...]) -> float:
        return float(embedding(model, left) @ embedding(model, right))

    for row in range(1, len(LEFT) - 1):
        for column in range(1, len(RIGHT) - 1):
            left, right = (ids[:at] + ids[at + 1 :] for ids, at in ((LEFT.ids, row), (RIGHT.ids, column)))
            expected = similarity(LEFT.ids, RIGHT.ids) - similarity(left, RIGHT.ids) - similarity(LEFT.ids, right) + similarity(left, right)
            assert found[row, column] == pytest.approx(expected, abs=1e-12)
    assert not found[[0, -1]].any()
    assert not found[:, [0, -1]].any()


def test_a_text_of_one_token_leaves_nothing_behind() -> None:
    model = TinyEncoder()
    alone = text(10, special=False)
    found = interaction_matrices(model, [(alone, alone)], "leave_one_out")[0]
    np.testing.assert_allclose(found, [[1.0]], rtol=1e-12)


def test_products_and_cosines_of_states_by_hand() -> None:
    model = TinyEncoder()
    rows = {}
    for encoding in (LEFT, RIGHT):
        ids = torch.tensor([encoding.ids])
        rows[encoding] = (layer_output(model, encoding.ids), model.transformer(input_ids=ids).last_hidden_state[0])
    (first, left), (second, right) = rows[LEFT], rows[RIGHT]
    cosine = torch.nn.functional.cosine_similarity
    expected = {
        "embedding_products": first @ second.T,
        "embedding_squares": (first @ second.T) ** 2,
        "embedding_cosine": cosine(first[:, None], second[None], dim=-1),
        "token_cosine": cosine(left[:, None], right[None], dim=-1),
    }
    for name, cells in expected.items():
        np.testing.assert_allclose(interaction_matrices(model, [(LEFT, RIGHT)], name)[0], cells.numpy(), rtol=1e-9, atol=1e-12)
    total = interaction_matrices(model, [(LEFT, RIGHT)], "token_products")[0].sum()
    assert total == pytest.approx(embedding(model, LEFT.ids) @ embedding(model, RIGHT.ids), rel=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_symmetric_deterministic_and_positive_on_the_diagonal_of_a_text_with_itself(method: str) -> None:
    model = TinyEncoder()
    first, turned, own = interaction_matrices(model, PAIRS, method)
    assert first.shape == (5, 7)
    np.testing.assert_allclose(first, turned.T, rtol=1e-12)
    assert (np.diag(own) >= 0).all()
    np.testing.assert_array_equal(first, interaction_matrices(model, PAIRS[:1], method)[0])


def test_states_before_normalisation_keep_their_length() -> None:
    plain, normalised = (states(TinyEncoder(normalize=wanted), [LEFT])[0] for wanted in (False, True))
    np.testing.assert_allclose(plain.embedding, normalised.embedding, rtol=1e-12)
    assert np.linalg.norm(plain.embedding) != pytest.approx(1.0, abs=0.01)


def test_a_derivative_of_the_unit_embedding_is_at_right_angles_to_it() -> None:
    model = TinyEncoder()
    ids = torch.tensor([LEFT.ids])
    points = layer_output(model, LEFT.ids)[None]
    moved = directional(model, {"input_ids": ids, "attention_mask": torch.ones_like(ids)}, points, points, unit=True)
    np.testing.assert_allclose(moved[0].numpy() @ embedding(model, LEFT.ids), 0, atol=1e-12)


def test_what_is_not_known_is_refused() -> None:
    with pytest.raises(InputError, match="bilrp"):
        interaction_matrices(TinyEncoder(), PAIRS, "magic")
    with pytest.raises(ModelError, match="no table of words"):
        embedding_layer(torch.nn.Linear(2, 2))
