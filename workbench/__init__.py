"""What a language model relies on, across a whole corpus: AttnLRP and BiLRP relevance in DuckDB.

The public names load when they are first used: `import workbench` is free, and asking a store a question never loads torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from workbench.annotation import Annotator as Annotator
    from workbench.annotation.annotator import annotator as annotator
    from workbench.attribution import targets as targets
    from workbench.attribution.factors import factors as factors
    from workbench.attribution.trace import record as record
    from workbench.attribution.trace import trace as trace
    from workbench.corpora.catalogue import catalogue as catalogue
    from workbench.document import Document as Document
    from workbench.document import Word as Word
    from workbench.encoding import Encoding as Encoding
    from workbench.errors import WorkbenchError as WorkbenchError
    from workbench.interaction import interactions as interactions
    from workbench.models.classifier import Classifier as Classifier
    from workbench.models.encoder import load_encoder as load_encoder
    from workbench.models.ensemble import Ensemble as Ensemble
    from workbench.models.model import load_model as load_model
    from workbench.models.translator import load_translator as load_translator
    from workbench.notebook import Explained as Explained
    from workbench.notebook import explain as explain
    from workbench.notebook import heatmap as heatmap
    from workbench.notebook import load as load
    from workbench.notebook import read as read
    from workbench.queries import describe as describe
    from workbench.queries import query as query
    from workbench.queries.keyness.collocation import collocates as collocates
    from workbench.queries.keyness.keys import keyness as keyness
    from workbench.queries.shortcuts.ranking import shortcuts as shortcuts
    from workbench.relevance import Explanation as Explanation
    from workbench.relevance import Ledger as Ledger
    from workbench.rules.register import register_function as register_function
    from workbench.rules.register import register_module as register_module
    from workbench.store import Store as Store
    from workbench.store.export import export as export
    from workbench.store.verify import verify as verify

    __version__: str

#: Public name → the module that has it.
PUBLIC = {
    "Annotator": "workbench.annotation",
    "Classifier": "workbench.models.classifier",
    "Document": "workbench.document",
    "Encoding": "workbench.encoding",
    "Ensemble": "workbench.models.ensemble",
    "Explained": "workbench.notebook",
    "Explanation": "workbench.relevance",
    "Ledger": "workbench.relevance",
    "Store": "workbench.store",
    "Word": "workbench.document",
    "WorkbenchError": "workbench.errors",
    "annotator": "workbench.annotation.annotator",
    "catalogue": "workbench.corpora.catalogue",
    "collocates": "workbench.queries.keyness",
    "describe": "workbench.queries",
    "explain": "workbench.notebook",
    "export": "workbench.store.export",
    "factors": "workbench.attribution.factors",
    "heatmap": "workbench.notebook",
    "interactions": "workbench.interaction",
    "keyness": "workbench.queries.keyness",
    "load": "workbench.notebook",
    "load_encoder": "workbench.models.encoder",
    "load_model": "workbench.models.model",
    "load_translator": "workbench.models.translator",
    "query": "workbench.queries",
    "read": "workbench.notebook",
    "record": "workbench.attribution.trace",
    "register_function": "workbench.rules.register",
    "register_module": "workbench.rules.register",
    "shortcuts": "workbench.queries.shortcuts",
    "targets": "workbench.attribution.targets",
    "trace": "workbench.attribution.trace",
    "verify": "workbench.store.verify",
}

__all__ = sorted(PUBLIC)  # noqa: PLE0605  # the table above is the list


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("workbench-nlp")
    if name not in PUBLIC:
        raise AttributeError(f"module 'workbench' has no attribute {name!r}; public names: {', '.join(__all__)}")
    module = import_module(PUBLIC[name])
    value = getattr(module, name, module)  # `targets` is a module itself
    globals()[name] = value
    return value


def load_ipython_extension(shell: InteractiveShell) -> None:
    """`%load_ext workbench`: SQL cells (`%%sql`), charts, and errors in a person's words."""
    import_module("workbench.notebook.magic").load(shell)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
