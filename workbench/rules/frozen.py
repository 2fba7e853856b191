"""Parameters are constants while a model is traced, whatever its owner does with them outside; several threads may trace it at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from workbench.rules.sources import Parts

LOCK = threading.Lock()
FROZEN = "_workbench_frozen"


@contextmanager
def frozen(module: nn.Module, parts: Parts | None = None) -> Iterator[None]:
    """Takes `requires_grad` from the module's parameters while the context lasts; the last of several users gives it back.

    `parts` are its named modules, where they have been listed already.
    """
    with LOCK:
        users, parameters = module.__dict__.get(FROZEN, (0, []))
        if not users:
            listed = module.named_modules() if parts is None else parts
            own = (parameter for _, part in listed for parameter in part._parameters.values())
            parameters = [parameter for parameter in own if parameter is not None and parameter.requires_grad]
            for parameter in parameters:
                parameter.requires_grad_(False)
        module.__dict__[FROZEN] = (users + 1, parameters)
    try:
        yield
    finally:
        with LOCK:
            users, parameters = module.__dict__[FROZEN]
            module.__dict__[FROZEN] = (users - 1, parameters)
            if users == 1:
                del module.__dict__[FROZEN]
                for parameter in parameters:
                    parameter.requires_grad_(True)
