"""Model-parameter randomisation test: does an explanation change when what the model has learnt is taken away?

Adebayo et al. 2018, "Sanity checks for saliency maps", cascading randomisation:

1. Explain texts with the trained model.
2. Give the head fresh weights, as the architecture draws them before training; explain the same texts for the same labels again.
3. Go on with the last layer, the one before, and so on down to the embeddings, each time on top of what is random already.
4. At each stage: Spearman's rank correlation of |relevance| with that of the trained model, over the words of a text, averaged over texts.

A method that explains the model must lose its correlation on the way. A method that looks at attention alone cannot notice another head,
and one that does not look at the model at all stays at 1. Correlations are over words; special tokens are left out.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import nn

from workbench.errors import ModelError
from workbench.evaluation.intervals import mean_interval
from workbench.evaluation.methods import COMPARED, Method
from workbench.evaluation.removal import Text
from workbench.evaluation.subject import subject
from workbench.rules.layers import layers

#: One row for each method and stage; depth 0 is the head, the largest depth the embeddings: everything random.
CORRELATIONS = {
    "method": pl.String(), "stage": pl.String(), "depth": pl.Int64(), "correlation": pl.Float64(), "low": pl.Float64(),
    "high": pl.Float64(), "texts": pl.Int64(),
}  # fmt: skip
FEWEST_WORDS = 5


def stages(module: nn.Module) -> list[tuple[str, list[str]]]:
    """Names of parameters by stage, in the order in which they are randomised: head, layers from the last to the first, embeddings.

    What stands behind the layers belongs to the head (pooler, last norm), what stands before them to the embeddings. Raises ModelError for
    a model whose layers cannot be found.
    """
    found = layers(module)
    if not found:
        raise ModelError("randomise by layer", f"{type(module).__name__} has no list of layers", "test a transformer")
    owner = {id(parameter): place for place, layer in enumerate(found) for parameter in layer.parameters()}
    named = dict(module.named_parameters())
    first = next(place for place, parameter in enumerate(named.values()) if id(parameter) in owner)
    by_stage: dict[str, list[str]] = {"head": [], **{f"layer {place + 1}": [] for place in reversed(range(len(found)))}, "embeddings": []}
    for place, (name, parameter) in enumerate(named.items()):
        layer = owner.get(id(parameter))
        by_stage["embeddings" if place < first else "head" if layer is None else f"layer {layer + 1}"].append(name)
    return [(stage, names) for stage, names in by_stage.items() if names]


def untrained(module: nn.Module, seed: int) -> nn.Module:
    """A model of the same architecture with fresh weights; the caller's random state is left as it was."""
    config: Any = getattr(module, "config", None)
    if config is None:
        raise ModelError("draw fresh weights", f"{type(module).__name__} has no configuration", "test a Hugging Face model")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return type(module)(copy.deepcopy(config))


def randomization(
    module: nn.Module,
    baseline: int,
    texts: Sequence[Text],
    labels: Sequence[int],
    *,
    methods: Mapping[str, Method] = COMPARED,
    draws: int = 3,
    seed: int = 0,
) -> pl.DataFrame:
    """Correlation of every method at every stage of the cascade, columns `CORRELATIONS`: mean over texts and `draws` of fresh weights.

    `baseline` is the uninformative token of integrated gradients. Texts need five words, or ranks say nothing. The interval (95 %,
    bootstrap) is over texts, each with its mean over draws. Raises ModelError for a model that cannot be randomised by layer.
    """
    kept = [index for index, text in enumerate(texts) if len(text.words) >= FEWEST_WORDS]
    texts, labels = [texts[index] for index in kept], [labels[index] for index in kept]
    trained = {name: _sizes(module, baseline, method, texts, labels) for name, method in methods.items()}
    plan = stages(module)
    found = np.zeros((draws, len(plan), len(methods), len(texts)))
    for draw in range(draws):
        # `deepcopy` and not a second load: a model that only exists in memory can be tested as well.
        victim = copy.deepcopy(module)
        fresh = dict(untrained(module, seed + draw).named_parameters())
        for depth, (_, names) in enumerate(plan):
            _replace(victim, fresh, names)
            for place, (name, method) in enumerate(methods.items()):
                found[draw, depth, place] = _correlations(trained[name], _sizes(victim, baseline, method, texts, labels))
    rows = [
        (name, stage, depth, float(values.mean()), *mean_interval(values), len(texts))
        for place, name in enumerate(methods)
        for depth, (stage, _) in enumerate(plan)
        if len(values := found[:, depth, place].mean(0))
    ]
    return pl.DataFrame(rows, schema=CORRELATIONS, orient="row")


@torch.no_grad()
def _replace(victim: nn.Module, fresh: Mapping[str, torch.Tensor], names: Sequence[str]) -> None:
    parameters = dict(victim.named_parameters())
    for name in names:
        parameters[name].copy_(fresh[name])


def _sizes(module: nn.Module, baseline: int, method: Method, texts: Sequence[Text], labels: Sequence[int]) -> list[NDArray[np.floating]]:
    asked = subject([module], [baseline], target="contrast")
    return [np.abs(scores) for scores in method(asked, texts, labels)]


def _correlations(one: Sequence[NDArray[np.floating]], other: Sequence[NDArray[np.floating]]) -> NDArray[np.float64]:
    """Spearman's correlation for each text; 0 where one of the two does not rank at all (all words equal)."""
    pairs = zip(one, other, strict=True)
    return np.array([stats.spearmanr(a, b).statistic if np.ptp(a) > 0 and np.ptp(b) > 0 else 0.0 for a, b in pairs])
