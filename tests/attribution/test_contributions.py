"""Contributions to generated tokens: every ledger closes, steps explained together are as explained alone, shares are shares."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from torch import nn

from tests.attribution.families import FAMILIES, SEQ2SEQ, Double, Family, build
from tests.attribution.slow_alpha_beta import Slow
from tests.attribution.slow_alti import slow_alti
from workbench.attribution import targets
from workbench.attribution.contributions import METHODS, SHARES, TARGETS, Contributions, contributions
from workbench.attribution.targets import Target
from workbench.attribution.trace import record
from workbench.attribution.translations import Translation
from workbench.errors import PropagationError
from workbench.relevance import Explanation

BY_NAME = {family.name: family for family in FAMILIES}
TRANSLATING = [BY_NAME[name] for name in ("Marian", "M2M-100/NLLB", "mBART", "T5", "mT5")]
ENGINE = ("attnlrp", "cplrp", "gradient_x_input")
BOTH = [(torch.float64, 1e-9), (torch.float32, 1e-4)]
#: Every family with one method of either kind, every method with one family: run-time checks of shapes make each pass dear here.
CROSSED = [
    (family, method) for family in TRANSLATING for method in METHODS if family.name == "Marian" or method in ("attnlrp", "alpha_beta")
]
TINY = {
    **SEQ2SEQ, "d_model": 8, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
    "encoder_ffn_dim": 12, "decoder_ffn_dim": 12, "vocab_size": 20,
}  # fmt: skip


def ids(count: int, seed: int, size: int = 200) -> tuple[int, ...]:
    return tuple(torch.randint(5, size, (count,), generator=torch.Generator().manual_seed(seed)).tolist())


MIXED = [
    Translation(ids(7, 1), ids(5, 2)), Translation(ids(4, 3), ids(6, 4)), Translation(ids(9, 5), ids(1, 6)),
    Translation(ids(9, 7), ids(4, 8), ids(1, 9)),
]  # fmt: skip


def named(value: Family | str) -> str:
    return value if isinstance(value, str) else value.name


def model_of(family: Family, dtype: torch.dtype = torch.float64, **options: Any) -> nn.Module:
    model = build(family, dtype=dtype, **options)
    if family.name.startswith("M2M"):
        model.config.decoder_start_token_id = 2  # as released; padding has an embedding of zeros, which can hold no share
    return model


def tiny_marian() -> nn.Module:
    return build(Family("Marian", hf.MarianMTModel, lambda: hf.MarianConfig(scale_embedding=True, **TINY), "sinusoidal"))


def explained(model: nn.Module, given: dict[str, torch.Tensor], method: str, target: Target) -> list[Explanation]:
    with Double():
        traced = record(model, given, method)
    return traced.explain(target)


def accounted(found: Contributions) -> np.ndarray:
    return found.source.sum(1) + found.prefix.sum(1) + found.beginning + found.positions + found.biases + found.softmax + found.nonlinear


@pytest.mark.parametrize(("family", "method"), CROSSED, ids=named)
@pytest.mark.parametrize(("dtype", "bar"), BOTH, ids=["float64", "float32"])
def test_every_step_is_accounted_for(family: Family, method: str, dtype: torch.dtype, bar: float) -> None:
    model = model_of(family, dtype)
    with Double() if dtype == torch.float64 else nullcontext():
        found = contributions(model, MIXED, method)
    for translation, one in zip(MIXED, found, strict=True):
        steps, length = len(translation.target), len(translation.source)
        assert one.source.shape == (steps, length)
        assert one.prefix.shape == (steps, steps)
        np.testing.assert_array_equal(one.prefix, np.tril(one.prefix, -1))
        np.testing.assert_allclose(accounted(one) + one.gap, one.target_value, rtol=0, atol=1e-12)
        assert one.relative_gap < bar
        largest = 1e-9 if dtype == torch.float64 else 1e-3 if family.name.endswith("T5") else 1e-5
        assert one.difference < largest
        if method in SHARES:
            assert min(one.source.min(), one.prefix.min(), one.beginning.min()) >= 0
            np.testing.assert_allclose(one.source.sum(1) + one.prefix.sum(1) + one.beginning, 1, rtol=0, atol=1e-4)
            assert (one.positions == 0).all()


@pytest.mark.parametrize("target", TARGETS)
def test_targets_are_those_of_the_plain_model(target: str) -> None:
    model = model_of(BY_NAME["Marian"])
    (found,) = contributions(model, MIXED[:1], "attnlrp", target)
    source, given = torch.tensor([MIXED[0].source]), MIXED[0].target
    logits = model(input_ids=source, decoder_input_ids=torch.tensor([[0, *given[:-1]]])).logits[0]
    chosen = logits[torch.arange(len(given)), torch.tensor(given)]
    log_probability = torch.log_softmax(logits, 1)[torch.arange(len(given)), torch.tensor(given)]
    others = logits.clone()
    others[torch.arange(len(given)), torch.tensor(given)] = float("-inf")
    expected = {
        "argmax": logits.amax(1), "token": chosen, "log_probability": log_probability, "contrast": chosen - others.amax(1)
    }  # fmt: skip
    np.testing.assert_allclose(found.target_value, expected[target].numpy(), rtol=1e-9)
    np.testing.assert_allclose(found.log_probability, log_probability.numpy(), rtol=1e-9)
    np.testing.assert_array_equal(found.likeliest, logits.argmax(1).numpy())
    assert found.relative_gap < 1e-9
    if target != "log_probability":
        np.testing.assert_allclose(found.nonlinear, 0, atol=1e-12)


@pytest.mark.parametrize(("family", "method"), [pair for pair in CROSSED if pair[1] in ENGINE], ids=named)
def test_steps_explained_together_are_as_explained_one_by_one(family: Family, method: str) -> None:
    """The same numbers as one pass and one backward pass for each step, by the code that explains a single target."""
    model = model_of(family)
    translation = Translation(ids(7, 1), ids(3, 2))
    with Double():
        (found,) = contributions(model, [translation], method, "log_probability")
    start = model.config.decoder_start_token_id
    for step, token in enumerate(translation.target):
        given = {
            "input_ids": torch.tensor([translation.source]),
            "decoder_input_ids": torch.tensor([[start, *translation.target[:step]]]),
        }
        (alone,) = explained(model, given, method, targets.token(step, torch.tensor([token]), "log_probability"))
        np.testing.assert_allclose(found.source[step], alone.tokens, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(found.prefix[step, :step], alone.decoder_inputs[1:], rtol=1e-5, atol=1e-7)
        assert found.beginning[step] == pytest.approx(alone.decoder_inputs[0], rel=1e-5, abs=1e-7)
        for account in ("positions", "biases", "softmax"):
            assert getattr(found, account)[step] == pytest.approx(alone.ledger.accounts[account], rel=1e-9, abs=1e-12)
        assert found.nonlinear[step] == pytest.approx(alone.ledger.accounts["nonlinear"], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("family", "method"), CROSSED, ids=named)
def test_a_translation_in_a_batch_is_as_alone(family: Family, method: str) -> None:
    model = model_of(family, gain=2.0)
    with Double():
        together = contributions(model, MIXED, method)
        for translation, found in list(zip(MIXED, together, strict=True))[::2]:
            (alone,) = contributions(model, [translation], method)
            for name in ("source", "prefix", "beginning", "positions", "biases", "softmax", "target_value", "log_probability"):
                np.testing.assert_allclose(getattr(found, name), getattr(alone, name), rtol=1e-7, atol=1e-10)
            np.testing.assert_array_equal(found.target_ids, translation.target)


@pytest.mark.parametrize("method", ["attnlrp"])
def test_a_small_budget_gives_the_same_numbers(method: str) -> None:
    model = model_of(BY_NAME["Marian"])
    few = MIXED[:2]
    for left, right in zip(contributions(model, few, method), contributions(model, few, method, together=2, budget=1), strict=True):
        np.testing.assert_allclose(left.source, right.source, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(left.prefix, right.prefix, rtol=1e-9, atol=1e-12)


def test_forced_tokens_are_not_steps_and_count_as_the_beginning() -> None:
    model = model_of(BY_NAME["mBART"])
    forced, free = Translation(ids(6, 1), ids(4, 2), (7,)), Translation(ids(6, 1), (7, *ids(4, 2)))
    (left,), (right,) = contributions(model, [forced]), contributions(model, [free])
    np.testing.assert_allclose(left.source, right.source[1:], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(left.prefix, right.prefix[1:, 1:], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(left.beginning, right.beginning[1:] + right.prefix[1:, 0], rtol=1e-9, atol=1e-12)


def test_separate_embeddings_of_a_decoder_are_the_prefix() -> None:
    config = hf.MarianConfig(
        scale_embedding=True, share_encoder_decoder_embeddings=False, tie_word_embeddings=False, decoder_vocab_size=150, **SEQ2SEQ
    )
    model = build(Family("Marian", hf.MarianMTModel, lambda: config, "sinusoidal"))
    (found,) = contributions(model, [Translation(ids(6, 1), ids(5, 2, 150))])
    assert found.relative_gap < 1e-9
    assert np.abs(found.prefix[2:, 0]).min() > 0
    with pytest.raises(PropagationError, match="a target with the token 160, the vocabulary has 150"):
        contributions(model, [Translation(ids(6, 1), (160, 1))])


def test_alpha_beta_is_the_published_procedure_written_out() -> None:
    """Against full Jacobians by automatic differentiation; and near the variant that spreads the biases of linear layers."""
    model = tiny_marian()
    translation = Translation(ids(4, 1, 20), ids(3, 2, 20))
    (found,) = contributions(model, [translation], "alpha_beta", "token")
    decoder = torch.tensor([0, *translation.target[:-1]])
    for spread, tolerance in ((False, 1e-12), (True, 0.02)):
        slow = Slow(model, torch.tensor(translation.source), decoder, spread)
        for step, label in enumerate(translation.target):
            source, prefix = slow.explain(step, label)
            np.testing.assert_allclose(found.source[step], source.numpy(), rtol=0, atol=tolerance)
            np.testing.assert_allclose(found.beginning[step], prefix[0].item(), rtol=0, atol=tolerance)
            np.testing.assert_allclose(found.prefix[step, :-1], prefix[1:].numpy(), rtol=0, atol=tolerance)


def test_lengths_of_products_are_those_of_gradients_at_the_lookups() -> None:
    """Gradient times input by length, against plain gradients at the two lookups, caught by a hook."""
    model = model_of(BY_NAME["Marian"])
    (found,) = contributions(model, MIXED[:1], "gradient_x_input_l2", "token")
    caught: list[torch.Tensor] = []

    def catch(_: nn.Module, __: Any, output: torch.Tensor) -> torch.Tensor:
        caught.append(output.detach().requires_grad_(True))
        return caught[-1]

    lookups = (model.model.encoder.embed_tokens, model.model.decoder.embed_tokens)  # type: ignore[union-attr]
    handles = [lookup.register_forward_hook(catch) for lookup in lookups]  # type: ignore[union-attr]
    start, target = (0, *MIXED[0].target[:-1]), MIXED[0].target
    logits = model(input_ids=torch.tensor([MIXED[0].source]), decoder_input_ids=torch.tensor([start])).logits[0]
    for handle in handles:
        handle.remove()
    for step, token in enumerate(target):
        gradients = torch.autograd.grad(logits[step, token], caught, retain_graph=True)
        source, prefix = ((x * g)[0].detach().norm(dim=-1) for x, g in zip(caught, gradients, strict=True))
        total = source.sum() + prefix.sum()
        np.testing.assert_allclose(found.source[step], (source / total).numpy(), rtol=1e-9)
        np.testing.assert_allclose(found.beginning[step], (prefix[0] / total).item(), rtol=1e-9)
        np.testing.assert_allclose(found.prefix[step, :step], (prefix[1 : step + 1] / total).numpy(), rtol=1e-9)


def test_alti_plus_is_the_published_procedure_in_loops() -> None:
    family = BY_NAME["Marian"]
    (found,) = contributions(build(family), MIXED[:1], "alti_plus")
    decoder = torch.tensor([0, *MIXED[0].target[:-1]])
    source, prefix = slow_alti(build(family, attention="eager"), torch.tensor(MIXED[0].source), decoder)
    np.testing.assert_allclose(found.source, source.numpy(), rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.beginning, prefix[:, 0].numpy(), rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.prefix[:, :-1], prefix[:, 1:].numpy(), rtol=0, atol=1e-12)


def test_what_cannot_be_explained_is_refused_in_one_sentence() -> None:
    model = model_of(BY_NAME["Marian"])
    fine = MIXED[0]
    for translations, said in (
        ([], "no translation"),
        ([fine, Translation((), (5,))], r"number 2[\s\S]*an empty source"),
        ([Translation((5,), ())], "an empty target"),
        ([Translation((5, 200), (5,))], "the token 200, the vocabulary has 200"),
        ([Translation((5,), (5,) * 1025)], "a target of 1025 tokens, the model allows 1024"),
    ):
        with pytest.raises(PropagationError, match=said):
            contributions(model, translations)
    for method, target, said in (
        ("deeplift", "argmax", "methods attnlrp"), ("attnlrp", "loss", "targets argmax"), ("alpha_beta", "contrast", "shares of a token"),
    ):  # fmt: skip
        with pytest.raises(PropagationError, match=said):
            contributions(model, [fine], method, target)
    with pytest.raises(PropagationError, match="use `prompted`"):
        contributions(build(BY_NAME["Llama"]), [fine])
    with pytest.raises(PropagationError, match="attention 'sdpa'"):
        contributions(build(BY_NAME["Marian"], attention="eager"), [fine], "alti_plus")
    with pytest.raises(PropagationError, match="attention 'sdpa'"):
        contributions(build(BY_NAME["Marian"], attention="eager"), [fine], "alpha_beta")


def test_a_model_whose_layers_alti_does_not_know_is_refused() -> None:
    config = hf.PegasusConfig(**SEQ2SEQ)
    model = build(Family("Pegasus", hf.PegasusForConditionalGeneration, lambda: config, "sinusoidal"))
    with pytest.raises(PropagationError, match="layers of class PegasusEncoderLayer"):
        contributions(model, MIXED[:1], "alti_plus")
    assert contributions(model, MIXED[:1])[0].relative_gap < 1e-9


def test_the_model_is_left_as_it_was() -> None:
    model = model_of(BY_NAME["Marian"])
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    for method in METHODS:
        contributions(model, MIXED[:2], method)
    assert all(parameter.requires_grad and parameter.grad is None for parameter in model.parameters())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in model.modules())
