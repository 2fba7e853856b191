"""A store as it is given: open already, or by its path."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from workbench.store import Store


@contextmanager
def opened(store: Store | str | os.PathLike[str]) -> Iterator[Store]:
    """The store to read; one that is given by its path is closed again."""
    if isinstance(store, Store):
        yield store
    else:
        with Store.open(store, "read") as found:
            yield found
