"""ASK: one question a file. `names()` lists them, `describe(name)` explains one, `query(store, name, …)` answers it as a frame.

`answer(store, name, …)` is the same with its SQL, its trust line and what stands behind each row; `trust(store, …)` is the line alone.
"""

from workbench.queries.answer import Answer
from workbench.queries.ask import answer, query, sql_of
from workbench.queries.evidence import Evidence, Lead
from workbench.queries.question import Parameter, Question, describe, names
from workbench.queries.trust import Trust, trust

__all__ = ["Answer", "Evidence", "Lead", "Parameter", "Question", "Trust", "answer", "describe", "names", "query", "sql_of", "trust"]
