"""What a model is: family, size, how it knows positions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from workbench.models.model import Model
from workbench.rules.census import Census
from workbench.rules.layers import layers
from workbench.rules.sources import source_kinds


@dataclass(frozen=True, slots=True)
class Anatomy:
    """What is known of a model before anything is explained."""

    name: str
    architecture: str
    family: str
    task: str
    labels: tuple[str, ...]
    layers: int
    width: int
    parameters: int
    precision: str
    attention: str
    window: int | None
    positions: str
    fingerprint: str


def anatomy(model: Model, census: Census) -> Anatomy:
    """The anatomy of a loaded model; positions are told by its modules, tables and what its census met."""
    config: Any = model.module.config
    embeddings: Any = model.module.get_input_embeddings()  # type: ignore[operator]
    fused = bool(census.calls["fused attention"])
    attention = "fused" if fused else "eager" if census.calls["softmax"] else "none"
    return Anatomy(
        name=model.name,
        architecture=type(model.module).__name__,
        family=str(config.model_type),
        task=model.task,
        labels=model.labels,
        layers=len(layers(model.module)),
        width=int(getattr(config, "hidden_size", 0) or embeddings.embedding_dim),
        parameters=sum(parameter.numel() for parameter in model.module.parameters()),
        precision=model.precision,
        attention=attention,
        window=model.window,
        positions=positions(model.module, census),
        fingerprint=model.fingerprint,
    )


def positions(module: nn.Module, census: Census) -> str:
    """How a model knows where a token stands: by its modules' classes, its tables, or biases on its scores."""
    classes = " ".join({type(part).__name__ for part in module.modules()})
    tables = set(source_kinds(module).values())
    found = []
    if census.calls["sinusoidal positions"]:
        found.append("sinusoidal")
    elif "positions" in tables:
        found.append("absolute")
    if census.calls["rotary positions"]:
        found.append("rotary")
    if "Disentangled" in classes:
        found.append("disentangled")
    elif "distances" in tables:
        found.append("relative")
    elif census.calls["linear biases"]:
        found.append("ALiBi")
    if census.calls["scan"]:
        found.append("order of the scan")
    return ", ".join(found) or "none"
