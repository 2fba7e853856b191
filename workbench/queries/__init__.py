"""ASK: one question a file. `names()` lists them, `describe(name)` explains one, `query(store, name, …)` answers it."""

from workbench.queries.ask import query
from workbench.queries.question import Parameter, Question, describe, names

__all__ = ["Parameter", "Question", "describe", "names", "query"]
