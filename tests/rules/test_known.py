"""What is asked of a tensor is asked once of all that say the same."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from workbench.rules.known import KNOWN, Known


def test_layers_that_share_a_mask_ask_once_until_it_changes() -> None:
    known, mask, asked = Known(), torch.ones(1, 1, 2, 2), []

    def count(tensor: Tensor) -> int:
        asked.append(tensor)
        return len(asked)

    assert [known.once(mask)(count), known.once(mask.clone())(count)] == [1, 1]
    mask[0, 0, 0, 0] = 2.0
    assert [known.once(each)(count) for each in (mask, torch.ones(1, 1, 2, 2), mask)] == [2, 3, 2]
    assert [known.once(torch.full((1,), float(number)))(count) for number in range(9)] == list(range(4, 13))
    assert len(known.kept) == KNOWN
    asked.clear()
    with torch.inference_mode():
        kept = torch.ones(1)
    assert [known.once(kept)(count), known.once(kept)(count)] == [1, 2]


def test_the_same_memory_is_known_without_a_look_at_its_numbers_and_not_when_seen_another_way(monkeypatch: pytest.MonkeyPatch) -> None:
    known, mask = Known(), torch.arange(4.0).reshape(1, 1, 2, 2)
    seen: list[float] = []

    def corner(tensor: Tensor) -> float:
        seen.append(float(tensor[0, 0, 0, 1]))
        return seen[-1]

    assert known.once(mask)(corner) == 1.0
    assert known.once(mask.mT)(corner) == 2.0
    monkeypatch.setattr(torch, "equal", lambda *_: pytest.fail("compared number by number"))
    assert known.once(mask[:, :, :, :2])(corner) == 1.0
    assert seen == [1.0, 2.0]
