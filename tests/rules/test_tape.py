"""Every operation that a tape follows, alone: streams of an affine function are the function of each part less that of nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.errors import PropagationError
from workbench.rules.composite import composite
from workbench.rules.layout import Layout
from workbench.rules.streams import streams
from workbench.rules.tape import node_of, play

IDS = torch.tensor([[1, 2, 3, 4], [4, 3, 5, 1]])
CONSTANT = torch.linspace(-1, 1, 48, dtype=torch.float64).view(2, 4, 6)
SQUARE = CONSTANT.reshape(8, 6)[:6]
MASK = torch.tensor([[1, 1, 1, 0], [1, 1, 0, 0]])[..., None].double()


class Looked(nn.Module):
    """A table of words, and a function of what is looked up."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.table = nn.Embedding(9, 6).double()
        self.layer = nn.Linear(6, 6).double()
        self.function = function

    def get_input_embeddings(self) -> nn.Embedding:
        return self.table

    def forward(self, ids: Tensor) -> Tensor:
        return self.function(self.layer(self.table(ids)))


def in_place(function: Callable[[Tensor], Any]) -> Callable[[Tensor], Tensor]:
    """A function that changes a copy of its input."""

    def changed(x: Tensor) -> Tensor:
        x = x.clone()
        function(x)
        return x

    return changed


def into_buffer(x: Tensor) -> Tensor:
    """Streams written into a tensor that had none."""
    buffer = CONSTANT.clone()
    buffer[:, 1:3] = x[:, :2]
    return buffer


def in_pieces(x: Tensor) -> Tensor:
    """Streams cut up and put together again, with a constant in between."""
    left, right = x.chunk(2, -1)
    return torch.cat([right, torch.ones_like(left), left], -1)


AFFINE: dict[str, Callable[[Tensor], Tensor]] = {
    "sum with factor": lambda x: torch.add(x, CONSTANT, alpha=3),
    "difference of streams": lambda x: torch.sub(x, x.flip(1), alpha=0.5),
    "constant less streams": lambda x: 2 - x,
    "constant tensor less streams": lambda x: CONSTANT - x,
    "smaller shape": lambda x: x.sum(1, keepdim=True) + CONSTANT,
    "in place sum": in_place(lambda x: x.add_(CONSTANT)),
    "in place entries": in_place(lambda x: x.__setitem__(MASK[..., 0] == 0, -7.0)),
    "in place mask": in_place(lambda x: x.masked_fill_(MASK == 0, 2.5)),
    "into a buffer": into_buffer,
    "pieces": in_pieces,
    "padded": lambda x: F.pad(x, (1, 1), value=4.0),
    "where": lambda x: torch.where(MASK == 0, CONSTANT, x),
    "einsum": lambda x: torch.einsum("btd,bts->bsd", x, CONSTANT[:, :, :4]),
    "product from the left": lambda x: CONSTANT.mT @ x,
    "elementwise": lambda x: CONSTANT * x / 3,
    "scaled norm": lambda x: F.linear(x, CONSTANT[0]),
    "stacked": lambda x: torch.stack([x, x.roll(1, 1)]).mean(0),
    "transposed": lambda x: x.transpose(0, 1).contiguous().reshape(4, 2, 3, 2).movedim(1, 0),
    "pooled with a mask": lambda x: (x * MASK).sum(1) / MASK.sum(1),
    "pooled after a layer": lambda x: (F.linear(x, SQUARE, CONSTANT[1, 0]) * MASK).sum(dim=1, keepdim=True),
    "mean after layers": lambda x: (x + F.linear(x.flip(2), SQUARE, CONSTANT[0, 0])).mean(1),
    "one token": lambda x: torch.gather(F.linear(x, SQUARE, CONSTANT[1, 0]), 1, torch.full((2, 1, 6), 2)).squeeze(1),
    "entries of several tokens": lambda x: torch.gather(x, 1, torch.tensor([[[0, 1, 2, 3, 0, 1]], [[3, 2, 1, 0, 3, 2]]])),
    "conversion": lambda x: x.to(torch.float64).type(torch.float64),
}


def recorded(module: Looked) -> Tensor:
    """Streams `(row ...)` of all tokens and constants."""
    with streams(module.eval(), composite("bilrp")):
        whole = module(IDS)
    node = node_of(whole)
    assert node is not None
    parts = torch.arange(4).expand(2, -1)
    found = play(node, Layout(parts, 4, False, placed=False), 3)
    torch.testing.assert_close(found.sum(0), whole, rtol=1e-12, atol=1e-12)
    return found


@pytest.mark.parametrize("name", AFFINE)
def test_streams_of_an_affine_function_are_those_of_its_parts(name: str) -> None:
    module = Looked(AFFINE[name])
    found = recorded(module)
    with torch.no_grad():
        words = module.table(IDS)
        nothing = module.function(module.layer(torch.zeros_like(words)))
        for place in range(4):
            alone = torch.zeros_like(words)
            alone[:, place] = words[:, place]
            torch.testing.assert_close(found[place], module.function(module.layer(alone)) - nothing, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(found[-1], nothing, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("name", "sign"), [("amax", 1), ("max", 1), ("amin", -1), ("min", -1)])
@pytest.mark.parametrize("kept", [True, False])
def test_an_extremum_is_taken_where_the_whole_has_it(name: str, sign: int, kept: bool) -> None:
    def extreme(x: Tensor) -> Tensor:
        found = getattr(torch, name)(x, dim=1, keepdim=kept)
        return found if isinstance(found, Tensor) else found[0]

    found = recorded(Looked(extreme))
    plain = recorded(Looked(lambda x: x))
    places = (sign * plain.sum(0)).argmax(1, keepdim=True).expand(5, 2, 1, 6)
    chosen = plain.gather(2, places)
    torch.testing.assert_close(found, chosen if kept else chosen.squeeze(2))


@pytest.mark.parametrize(
    "function", [torch.sin, lambda x: x.max(), lambda x: x.topk(2, 1)[0], lambda x: 1 / x, lambda x: x @ x.mT * x.sum()]
)
def test_what_is_not_linear_is_refused_or_a_product(function: Callable[[Tensor], Tensor]) -> None:
    module = Looked(function)
    if function(torch.ones(2, 4, 6)).shape == (2, 4, 4):
        recorded(module)  # products take half each: the sum closes
        return
    with pytest.raises(PropagationError, match="no forward rule"):
        recorded(module)


def test_rows_are_played_in_any_groups() -> None:
    layout = Layout(torch.arange(4).expand(2, -1), 4, True)
    for room in (1, 2, 5, 100):
        rows = list(layout.chunks(room))
        assert sum(one.size for one in rows) == layout.rows == 7
        assert max(one.size for one in rows) <= room
        for place in ("positions", "constants", "absorbed"):
            assert sum(getattr(one, place) is not None for one in rows) == 1
