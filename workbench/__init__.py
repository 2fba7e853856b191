"""What a language model relies on, across a whole corpus: AttnLRP and BiLRP relevance in DuckDB.

The public names load when they are first used: `import workbench` is free, and asking a store a question never loads torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.document import Document as Document
    from workbench.document import Word as Word
    from workbench.encoding import Encoding as Encoding
    from workbench.errors import WorkbenchError as WorkbenchError
    from workbench.relevance import Explanation as Explanation
    from workbench.relevance import Ledger as Ledger

    __version__: str

#: Public name → the module that has it.
PUBLIC = {
    "Document": "workbench.document",
    "Encoding": "workbench.encoding",
    "Explanation": "workbench.relevance",
    "Ledger": "workbench.relevance",
    "Word": "workbench.document",
    "WorkbenchError": "workbench.errors",
}

__all__ = sorted(PUBLIC)  # noqa: PLE0605  # the table above is the list


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("workbench-nlp")
    if name not in PUBLIC:
        raise AttributeError(f"module 'workbench' has no attribute {name!r}; public names: {', '.join(__all__)}")
    value = getattr(import_module(PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
