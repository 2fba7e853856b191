"""Every method against paper (a bag of words, where truth is the weights), a slow loop, or the library it comes from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients
from hypothesis import given
from hypothesis import strategies as st

from tests.evaluation.models_by_hand import CLS, SEP, UNK, BagOfWords, plain_text, small_bert, words
from workbench.encoding import Encoding
from workbench.errors import ModelError
from workbench.evaluation.methods import METHODS, attnlrp, integrated_gradients, occlusion, sensitivity
from workbench.evaluation.removal import text
from workbench.evaluation.subject import subject, uninformative

WEIGHTS = [0.0, 0.0, 0.0, 0.0, 1.0, -2.0, 0.5]
POSTS = [(7, 9, 12, 5), (8, 8), (20, 21, 22, 23, 24, 25), (11,), (9, 7, 12, 5)]


def test_of_a_bag_of_words_every_linear_method_reads_the_weights() -> None:
    """The logit is the sum of the weights, so input times gradient, its integral from weight 0 and leaving one out are the weights."""
    bag = subject([BagOfWords(WEIGHTS)], [UNK], target="contrast")
    for name in ("gradient_x_input", "integrated_gradients", "occlusion"):
        (scores,) = METHODS[name](bag, [plain_text([4, 5, 6, 4])], [1])
        np.testing.assert_allclose(scores, [1.0, -2.0, 0.5, 1.0], atol=1e-6, err_msg=name)
    assert max(bag.convergence) < 1e-5


def test_occlusion_of_a_probability_on_paper() -> None:
    """Logits 0 and 1 - 2 = -1: f = sigmoid(-1); without the first word sigmoid(-2), without the second sigmoid(1)."""
    sigmoid = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    (scores,) = occlusion(subject([BagOfWords(WEIGHTS)], [UNK]), [plain_text([4, 5])], [1])
    np.testing.assert_allclose(scores, [sigmoid(-1) - sigmoid(-2), sigmoid(-1) - sigmoid(1)], atol=1e-6)


def test_occlusion_equals_a_slow_loop() -> None:
    modules = [small_bert(0), small_bert(1)]
    labels = [0, 1, 2, 0, 1]
    found = occlusion(subject(modules, [UNK, UNK]), [plain_text(post, members=2) for post in POSTS], labels)

    def probability(ids: list[int], label: int) -> float:
        batch = torch.tensor([[CLS, *ids, SEP]])
        return float(np.mean([model(batch).logits.double().softmax(-1)[0, label].item() for model in modules]))

    for post, label, scores in zip(POSTS, labels, found, strict=True):
        slow = [probability(list(post), label) - probability([*post[:i], *post[i + 1 :]], label) for i in range(len(post))]
        np.testing.assert_allclose(scores, slow, atol=1e-6)


def test_integrated_gradients_equal_captum_on_embeddings() -> None:
    """Captum's own integral over embeddings given as numbers, text by text, against ours over the embedding layer in batches."""
    model, labels = small_bert(), [0, 1, 2, 0, 1]
    given_subject = subject([model], [UNK])
    found = integrated_gradients(given_subject, [plain_text(post) for post in POSTS], labels)
    table = model.get_input_embeddings()
    integral = IntegratedGradients(lambda embedded: model(inputs_embeds=embedded).logits)
    for post, label, scores in zip(POSTS, labels, found, strict=True):
        here, there = (table(torch.tensor([[CLS, *ids, SEP]])) for ids in (post, [UNK] * len(post)))
        expected = integral.attribute(here, baselines=there, target=label, n_steps=given_subject.steps).sum(-1)[0, 1:-1]
        np.testing.assert_allclose(scores, expected, atol=1e-5)
    assert len(given_subject.convergence) == len(POSTS)


def test_gradient_methods_equal_plain_autograd() -> None:
    model = small_bert()
    bag = subject([model], [UNK])
    texts, labels = [plain_text(post) for post in POSTS], [2, 1, 0, 2, 1]
    products, squares = METHODS["gradient_x_input"](bag, texts, labels), sensitivity(bag, texts, labels)
    for post, label, product, square in zip(POSTS, labels, products, squares, strict=True):
        embedded = model.get_input_embeddings()(torch.tensor([[CLS, *post, SEP]])).requires_grad_(True)
        (gradient,) = torch.autograd.grad(model(inputs_embeds=embedded).logits[0, label], embedded)
        np.testing.assert_allclose(product, (embedded * gradient).sum(-1)[0, 1:-1].detach(), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(square, gradient.square().sum(-1)[0, 1:-1], rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("name", METHODS)
def test_an_ensemble_is_the_mean_of_its_members_and_batches_do_not_matter(name: str) -> None:
    modules, labels = [small_bert(0), small_bert(1)], [0, 1, 2, 0, 1]
    together = METHODS[name](subject(modules, [UNK, UNK]), [plain_text(post, members=2) for post in POSTS], labels)
    alone = [
        [METHODS[name](subject([module], [UNK]), [plain_text(post)], [label])[0] for post, label in zip(POSTS, labels, strict=True)]
        for module in modules
    ]
    for index, scores in enumerate(together):
        assert scores.shape == (len(POSTS[index]),)
        np.testing.assert_allclose(scores, (alone[0][index] + alone[1][index]) / 2, rtol=1e-3, atol=1e-5)


def test_members_may_cut_words_differently() -> None:
    """One member sees two pieces where the other sees one: both give their sum to the same word."""
    pieces = Encoding((CLS, 7, 9, 12, SEP), ("t",) * 5, ((0, 0), (0, 1), (1, 2), (3, 4), (0, 0)), (True, False, False, False, True))
    whole = Encoding((CLS, 8, 5, SEP), ("t",) * 4, ((0, 0), (0, 2), (3, 4), (0, 0)), (True, False, False, True))
    spans = [words(2)[0].__class__(0, 0, 2, "ab"), words(2)[0].__class__(1, 3, 4, "c")]
    first, second = small_bert(0), small_bert(1)
    (scores,) = attnlrp(subject([first, second], [UNK, UNK]), [text([pieces, whole], spans)], [1])
    (of_first,) = attnlrp(subject([first], [UNK]), [plain_text([7, 9, 12])], [1])
    (of_second,) = attnlrp(subject([second], [UNK]), [plain_text([8, 5])], [1])
    np.testing.assert_allclose(scores, [(of_first[0] + of_first[1] + of_second[0]) / 2, (of_first[2] + of_second[1]) / 2], atol=1e-5)


@given(st.lists(st.integers(4, 29), min_size=1, max_size=12), st.integers(0, 9))
def test_random_scores_belong_to_the_text_and_the_seed(post: list[int], seed: int) -> None:
    def draw(seed: int) -> np.ndarray:
        return METHODS["random"](subject([], [], seed=seed), [plain_text([5]), plain_text(post)], [0, 0])[1]

    np.testing.assert_array_equal(draw(seed), draw(seed))
    assert (draw(seed) != draw(seed + 1)).all()
    assert (np.abs(draw(seed)) <= 1).all()


class Tokenizer:
    def __init__(self, mask: int | None, unknown: int | None, padding: int | None) -> None:
        self.mask_token_id, self.unk_token_id, self.pad_token_id = mask, unknown, padding


def test_the_uninformative_token_is_the_mask_else_unknown_else_padding() -> None:
    assert [uninformative(Tokenizer(*ids)) for ids in ((4, 1, 0), (None, 1, 0), (None, None, 0))] == [4, 1, 0]
    with pytest.raises(ModelError, match="pad_token"):
        uninformative(Tokenizer(None, None, None))
