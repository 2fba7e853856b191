"""Source and prefix contributions that are all positive and sum to one (Voita, Sennrich and Titov 2021), for every generated token.

A relevance of 1 at the logit of one token is shared layer by layer (`workbench.rules.jacobian`). As published, the relevance of a token
is that of its embedding and positional signal together.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from workbench.attribution import stepwise
from workbench.attribution.stepwise import StepInputs, Steps
from workbench.errors import PropagationError
from workbench.rules.alpha_beta import ratio
from workbench.rules.jacobian import JACOBIAN, AlphaBeta
from workbench.rules.recorder import wide


def steps(module: nn.Module, batch: StepInputs, explained: str, budget: int) -> Steps:
    """Shares of every step of a batch, of the `argmax` or the `given` token; see `stepwise.steps`."""
    recorder, cut, logits, difference = stepwise.forward(module, batch, JACOBIAN, AlphaBeta)
    likeliest = logits.detach().argmax(1)
    labels = likeliest if explained == "argmax" else batch.given.reshape(-1)
    assert cut.leaf is not None
    gradient = at_projection(stepwise.output_projection(module), cut.leaf.detach()[:, 0], labels)
    shape = batch.places.shape
    read, accounts = stepwise.backward(recorder, cut, batch, gradient.reshape(*shape, -1), stepwise.chunk(module, batch, budget))
    pairs = {"tokens": "positions", "decoder_inputs": "decoder_positions"}
    by_token = {words: read[words] + read.get(places, 0.0) for words, places in pairs.items() if words in read}
    if any(not bool((values >= 0).all()) for values in by_token.values()):  # NaN is not either
        raise PropagationError(
            f"share relevance in {type(module).__name__} by alpha-beta",
            "shares that are negative or not a number: it is no transformer of linear layers, norms, activations and attention",
            "use attnlrp",
        )
    return Steps(
        torch.ones(shape, dtype=torch.float64),
        stepwise.given_log_probability(logits, batch.given),
        likeliest.cpu().reshape(shape),
        difference,
        by_token,
        {name: value for name, value in accounts.items() if name not in ("tokens", "decoder_inputs", "positions")},
    )


def at_projection(head: nn.Module, hidden: Float[Tensor, "row hidden"], labels: Tensor) -> Float[Tensor, "row hidden"]:
    """A relevance of 1 at the labels' logits as derivative at the hidden states, R_i / h_i. Raises PropagationError for no linear head."""
    if not isinstance(head, nn.Linear):
        raise PropagationError("share relevance by alpha-beta", f"an output projection of class {type(head).__name__}", "use attnlrp")
    weight = wide(head.weight.detach()[labels])
    z = weight * wide(hidden)
    plus, minus = z.clamp(min=0).sum(1, keepdim=True), z.clamp(max=0).sum(1, keepdim=True)
    alpha, beta = JACOBIAN.alpha + JACOBIAN.beta * (minus == 0), JACOBIAN.beta + JACOBIAN.alpha * (plus == 0)
    return torch.where(z > 0, weight * ratio(alpha, plus), weight * ratio(beta, minus)).to(hidden.dtype)
