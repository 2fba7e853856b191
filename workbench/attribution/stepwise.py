"""One teacher-forced pass, one backward pass for all generated tokens: what each of them took from every token before it.

1. A plain pass gives the model's own logits; a second one runs under rules and must give the same.
2. The graph is cut in front of the output projection, where every step still has a row of its own: one backward pass through the
   projection gives each step's gradient at the last hidden state, and what the projection's bias and the target itself book.
3. Below, steps share all activations and differ only in their gradients: one backward pass batched over steps (`torch.func.vmap`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from workbench.attribution.targets import LabelTarget
from workbench.errors import PropagationError
from workbench.rules.audit import refuse_custom_kernels, refuse_unfit
from workbench.rules.composite import Composite
from workbench.rules.frozen import frozen
from workbench.rules.module_rules import module_rules
from workbench.rules.recorder import Recorder
from workbench.rules.stepwise import Stepwise

#: Largest difference of logits under rules to the plain ones, relative to the largest logit, by type of number.
TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-4}
COARSE = 5e-2


@dataclass(frozen=True, slots=True)
class StepInputs:
    """A batch of texts: the model's arguments, where each step's token is predicted, which one is given, and which steps are real."""

    inputs: Mapping[str, Any]
    places: Int[Tensor, "batch step"]
    given: Int[Tensor, "batch step"]
    real: Bool[Tensor, "batch step"]


@dataclass(frozen=True, slots=True)
class Steps:
    """All steps of a batch: the target, the given token's log-probability, the likeliest token, relevance by token, accounts.

    `difference` is the largest |logit under rules - plain logit| of each text.
    """

    target: Float[Tensor, "batch step"]
    log_probability: Float[Tensor, "batch step"]
    likeliest: Int[Tensor, "batch step"]
    difference: Float[Tensor, "batch"]
    by_token: Mapping[str, Float[Tensor, "step batch token"]]
    accounts: Mapping[str, Float[Tensor, "batch step"]]


class Cut:
    """The place in front of the output projection: the last hidden states, and the leaf that stands for those of the steps."""

    def __init__(self, places: Int[Tensor, "batch step"], recorder: Recorder | None = None) -> None:
        self.places = places
        self.recorder = recorder
        self.hidden: Tensor | None = None
        self.leaf: Tensor | None = None

    def __call__(self, _: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """What the output projection is given: one row for each step."""
        hidden: Tensor = args[0]
        rows = torch.arange(len(hidden), device=hidden.device)[:, None]
        chosen = hidden.detach()[rows, self.places].reshape(-1, 1, hidden.shape[-1])
        if self.recorder is not None:
            self.hidden, self.leaf = hidden, chosen.requires_grad_(True)
            self.recorder.rows = len(chosen)  # from here on every step is a row
        return (chosen, *args[1:])


@contextmanager
def cut_at_head(module: nn.Module, cut: Cut) -> Iterator[None]:
    """Cuts the model in front of its output projection while the context lasts. Raises PropagationError where there is none."""
    head = output_projection(module)
    handle = head.register_forward_pre_hook(cut)
    try:
        yield
    finally:
        handle.remove()


def output_projection(module: nn.Module) -> nn.Module:
    """The module that gives the logits. Raises PropagationError for a model that has none."""
    head = getattr(module, "get_output_embeddings", lambda: None)()
    if not isinstance(head, nn.Module):
        raise PropagationError(
            f"explain what {type(module).__name__} generates", "it has no output projection over a vocabulary", "load the language model"
        )
    return head


def steps(
    module: nn.Module,
    batch: StepInputs,
    rules: Composite,
    target: LabelTarget,
    explained: str,
    budget: int,
    recorder: type[Recorder] = Recorder,
) -> Steps:
    """Contributions to every step of a batch under a composite, `target` of the logits at each; `explained` = `argmax` or `given`.

    `budget` bounds the numbers of one gradient. Raises PropagationError for what has no rule or changes the model's logits.
    """
    book, cut, logits, difference = forward(module, batch, rules, Stepwise, recorder)
    likeliest = logits.detach().argmax(1)
    labels = likeliest if explained == "argmax" else batch.given.reshape(-1)
    with torch.enable_grad():
        values = target(logits, labels)
    assert cut.leaf is not None
    book.clear()
    book.add("nonlinear", values)
    (gradient,) = torch.autograd.grad(values.sum(), [cut.leaf])
    shape = batch.places.shape
    at_head = {account: booked.reshape(shape) for account, booked in book.accounts.items()}
    by_token, below = backward(book, cut, batch, gradient.reshape(*shape, -1), chunk(module, batch, budget))
    return Steps(
        values.detach().double().cpu().reshape(shape),
        given_log_probability(logits, batch.given),
        likeliest.cpu().reshape(shape),
        difference,
        by_token,
        {account: torch.stack([part[account] for part in (at_head, below) if account in part]).sum(0) for account in {*at_head, *below}},
    )


def forward(
    module: nn.Module, batch: StepInputs, rules: Composite, mode: type[Stepwise], kind: type[Recorder] = Recorder
) -> tuple[Recorder, Cut, Float[Tensor, "row vocabulary"], Float[Tensor, "batch"]]:
    """The pass under rules and the plain one: recorder, cut, logits by text and step, and their difference to the plain ones."""
    refuse_unfit(module)
    plain = plain_logits(module, batch)
    recorder = kind(len(batch.places))
    cut = Cut(batch.places, recorder)
    propagation = mode(module, rules, recorder)
    with frozen(module), torch.enable_grad(), cut_at_head(module, cut), module_rules(propagation), propagation:
        output = module(**batch.inputs)
    if cut.hidden is None or not cut.hidden.requires_grad:
        raise PropagationError(
            f"explain {type(module).__name__}", "its logits depend on no embedding that was looked up", "give token identifiers"
        )
    refuse_custom_kernels(cut.hidden, mode.functions)
    logits: Tensor = recorder.tap(output.logits, "nonlinear", -1.0)[:, 0]
    return recorder, cut, logits, difference_to(plain, logits.detach(), batch.real)


def plain_logits(module: nn.Module, batch: StepInputs) -> Float[Tensor, "row vocabulary"]:
    """The model's own logits at every step of every text."""
    with torch.no_grad(), cut_at_head(module, Cut(batch.places)):
        logits: Tensor = module(**batch.inputs).logits[:, 0]
    return logits


def difference_to(plain: Tensor, logits: Tensor, real: Bool[Tensor, "batch step"]) -> Float[Tensor, "batch"]:
    """Largest difference of two sets of logits in each text's real steps. Raises PropagationError for one beyond rounding."""
    largest = (plain - logits).abs().amax(1).reshape(real.shape).masked_fill(~real, 0.0).amax(1).double().cpu()
    size = float(plain.abs().max())
    if not bool(torch.isfinite(largest).all()) or float(largest.max()) > TOLERANCE.get(plain.dtype, COARSE) * max(size, 1.0):
        raise PropagationError(
            "explain what a model generates",
            f"logits under rules differ from the model's own by {float(largest.max()):.3g}, the largest is {size:.3g}",
            "use a model whose families page says that its value is kept, in float32",
        )
    return largest


def given_log_probability(logits: Float[Tensor, "row vocabulary"], given: Int[Tensor, "batch step"]) -> Float[Tensor, "batch step"]:
    """Log-probability of the given token at every step."""
    found = torch.log_softmax(logits.detach().double(), 1).gather(1, given.reshape(-1, 1))
    return found.cpu().reshape(given.shape)


def backward(
    recorder: Recorder, cut: Cut, batch: StepInputs, gradient: Float[Tensor, "batch step hidden"], together: int
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Relevance by token `(step batch token)` and accounts `(batch step)` below the cut, `together` steps in one backward pass."""
    hidden = cut.hidden
    assert hidden is not None
    recorder.rows = len(hidden)
    rows = torch.arange(len(hidden), device=hidden.device)[:, None]
    real = batch.real.to(hidden.device)
    placed = torch.zeros_like(hidden)
    placed[rows.expand_as(real)[real], batch.places[real]] = gradient[real]
    length = torch.arange(hidden.shape[1], device=hidden.device)
    chosen = ((batch.places[..., None] == length) & real[..., None]).to(hidden.dtype).transpose(0, 1)  # (step, batch, place)
    pull = pullback(recorder, hidden, placed)
    by_token, accounts = torch.func.vmap(pull, chunk_size=min(together, len(chosen)))(chosen)
    recorder.clear()  # what it holds belongs to the batched pass
    return {kind: values.double().cpu() for kind, values in by_token.items()}, {kind: values.T for kind, values in accounts.items()}


def pullback(recorder: Recorder, hidden: Tensor, gradient: Tensor) -> Callable[[Tensor], tuple[dict[str, Tensor], dict[str, Tensor]]]:
    """A function of the places of one step that propagates its gradient: relevance by token and accounts."""

    def pull(places: Float[Tensor, "batch place"]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        recorder.clear()
        torch.autograd.grad(hidden, recorder.leaves, gradient * places[..., None], retain_graph=True, allow_unused=True)
        return dict(recorder.readings.by_token), dict(recorder.accounts)

    return pull


def chunk(module: nn.Module, batch: StepInputs, budget: int) -> int:
    """How many steps fit into one backward pass."""
    return max(1, budget // (len(batch.places) * longest(batch) * widest(module)))


def longest(batch: StepInputs) -> int:
    """The longest sequence that the model sees."""
    return max(int(value.shape[1]) for name, value in batch.inputs.items() if name.endswith("input_ids"))


def widest(module: nn.Module) -> int:
    """The width of the widest linear layer but the output projection: what one gradient holds for each token."""
    head = output_projection(module)
    return max((part.out_features for part in module.modules() if isinstance(part, nn.Linear) and part is not head), default=1)
