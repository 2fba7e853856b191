"""The state of a training run on disk: written whole or not at all, and enough to go on exactly where it stopped."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer


@dataclass
class Progress:
    """How far training has come. `position` counts the batches of the round that are done."""

    round: int = 0
    position: int = 0
    updates: int = 0
    tokens: int = 0
    seconds: float = 0.0
    """CPU seconds, of all runs together."""
    history: list[dict[str, float]] = field(default_factory=list)


def save(path: Path, progress: Progress, model: nn.Module, average: nn.Module, optimizer: Optimizer) -> None:
    """Write the state beside the old one, then put it in its place."""
    state = {"progress": vars(progress), "model": model.state_dict(), "average": average.state_dict(), "optimizer": optimizer.state_dict()}
    written = path.with_suffix(".new")
    torch.save(state, written)
    written.replace(path)


def resume(path: Path, model: nn.Module, average: nn.Module, optimizer: Optimizer) -> Progress:
    """Load the state if there is one; where there is none, training begins."""
    if not path.is_file():
        return Progress()
    device = next(model.parameters()).device
    state: dict[str, Any] = torch.load(path, weights_only=True, map_location=device)
    model.load_state_dict(state["model"])
    average.load_state_dict(state["average"])
    optimizer.load_state_dict(state["optimizer"])
    return Progress(**state["progress"])
