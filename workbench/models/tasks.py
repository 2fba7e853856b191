"""What a text model does, read from the architecture that its configuration names, and the class of the hub's library that loads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForQuestionAnswering,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    AutoModelForTextEncoding,
    AutoModelForTokenClassification,
)

from workbench.errors import ModelError


@dataclass(frozen=True, slots=True)
class Task:
    """A task by name, and the library's class that loads models for it."""

    name: str
    loader: Any


ENCODER = Task("encoder", AutoModel)
#: In the order in which an architecture that several tasks know is given to one of them.
TASKS = (
    Task("classification", AutoModelForSequenceClassification),
    Task("token classification", AutoModelForTokenClassification),
    Task("question answering", AutoModelForQuestionAnswering),
    Task("translation", AutoModelForSeq2SeqLM),
    Task("continuation", AutoModelForCausalLM),
    Task("gap filling", AutoModelForMaskedLM),
    Task("encoder", AutoModelForTextEncoding),
    ENCODER,
)


def task_of(config: Any, asked: str) -> Task:
    """The task of the configuration's architecture; one that names none is an encoder.

    Raises ModelError for an architecture that is no text model with a head that is known here.
    """
    named = list(config.architectures or ())
    for task in TASKS:
        if (task is ENCODER and not named) or names_of(task.loader, config) & set(named):
            return task
    known = ", ".join(dict.fromkeys(task.name for task in TASKS))
    raise ModelError(asked, f"the architecture {', '.join(named) or config.model_type}", f"use a text model for {known}")


def names_of(loader: Any, config: Any) -> set[str]:
    """Names of the classes that a loader has for models of this configuration."""
    found = loader._model_mapping.get(type(config), ())
    return {kind.__name__ for kind in (found if isinstance(found, tuple) else (found,))}
