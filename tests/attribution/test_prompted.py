"""Contributions in one sequence: a source span of the prompt, the generated tokens, and all the rest."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.attribution.families import Double, Family, build
from tests.attribution.test_contributions import BY_NAME, ENGINE, accounted, explained, ids
from workbench.attribution import targets
from workbench.attribution.prompted import Prompted, prompted
from workbench.errors import PropagationError

PROMPTED = [BY_NAME[name] for name in ("Llama", "GPT-NeoX")]
PROMPTS = [Prompted(ids(9, 1), (2, 7), ids(5, 2)), Prompted(ids(6, 3), (1, 4), ids(6, 4)), Prompted(ids(9, 5), (0, 9), ids(1, 6))]


@pytest.mark.parametrize("family", PROMPTED, ids=lambda family: family.name)
@pytest.mark.parametrize("method", [*ENGINE, "alpha_beta"])
def test_a_prompted_model_has_a_source_span_and_a_generated_one(family: Family, method: str) -> None:
    model = build(family)
    with Double():
        found = prompted(model, PROMPTS, method)
    for text, one in zip(PROMPTS, found, strict=True):
        assert one.relative_gap < 1e-9
        assert one.source.shape == (len(text.target), text.source[1] - text.source[0])
        if method == "alpha_beta":
            np.testing.assert_allclose(accounted(one), 1, atol=1e-9)
            continue
        for step, token in list(enumerate(text.target))[-2:]:
            given = {"input_ids": torch.tensor([[*text.prompt, *text.target[:step]]])}
            (alone,) = explained(model, given, method, targets.next_token())
            np.testing.assert_allclose(one.source[step], alone.tokens[slice(*text.source)], rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(one.prefix[step, :step], alone.tokens[len(text.prompt) :], rtol=1e-5, atol=1e-6)
            assert one.target_ids[step] == token
    for one, coarse in zip(found, prompted(model.float(), PROMPTS, method), strict=True):
        assert coarse.relative_gap < 1e-4
        np.testing.assert_allclose(coarse.source, one.source, rtol=1e-2, atol=1e-4)


def test_what_cannot_be_explained_is_refused() -> None:
    llama = build(BY_NAME["Llama"])
    for texts, said in (
        ([], "no text"),
        ([Prompted(ids(6, 1), (3, 12), (5,))], "span 3 to 12"),
        ([PROMPTS[0], Prompted(ids(6, 1), (1, 3), ())], r"number 2[\s\S]*no generated token"),
        ([Prompted((200, 6), (0, 1), (5,))], "the token 200, the vocabulary has 200"),
    ):
        with pytest.raises(PropagationError, match=said):
            prompted(llama, texts)
    with pytest.raises(PropagationError, match="without an encoder"):
        prompted(llama, PROMPTS, "alti_plus")
    with pytest.raises(PropagationError, match="use `contributions`"):
        prompted(build(BY_NAME["Marian"]), PROMPTS)
