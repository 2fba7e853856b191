"""Words chosen by SQL as hits, so that a concordance can show whatever a person can ask for.

The person's SQL runs in a process of its own, as that of `workbench sql` does: it reads the views and nothing else, within limits.
"""

from __future__ import annotations

import re

from workbench.errors import InputError
from workbench.patterns.choice import choose
from workbench.patterns.find import Hits, checked
from workbench.patterns.statement import Order
from workbench.store import Store
from workbench.store.confined import Confined, Limits

ASKED = "find words by SQL"
#: What begins so is a statement, anything else a condition on the view `word_relevance`.
STATEMENT = re.compile(r"\s*(SELECT|FROM|WITH)\b", re.IGNORECASE)
ORDERS: dict[Order, str] = {"relevance": "relevance DESC NULLS LAST, w.document, w.role, w.word", "document": "w.document, w.role, w.word"}


def where(
    store: Store,
    condition: str,
    *,
    model: str | None = None,
    composite: str | None = None,
    role: str | None = None,
    run: int | None = None,
    limit: int | None = 50,
    order: Order = "relevance",
    limits: Limits | None = None,
) -> Hits:
    """Words that a condition on `word_relevance` chooses (`upos = 'NOUN' AND relevance > 0.5`), the most relevant first.

    Instead of a condition a statement may stand, whose columns explanation and word say which words. Model, composite and role choose
    whose relevance counts, as for `find`. Raises StoreError for what is no question and what takes too long, InputError for other columns.
    """
    most = checked(order, limit)
    choice = choose(store, model=model, composite=composite, role=role, run=run, asked=ASKED)
    if choice.model is None:
        raise InputError(ASKED, "no relevance of words in this store", "explain the corpus first: workbench run")
    sql = statement(condition, choice.source.conditions("w"), order)
    with Confined(store.path, run=run, limits=limits) as confined:
        chosen = confined.ask(sql, most)
    frame, total = chosen.frame, len(chosen.frame) if chosen.total is None else chosen.total
    notices = ("counting all hits took too long",) if chosen.total is None else ()
    return Hits(frame, total, condition.strip(), sql, order, choice.model, choice.composite, (), notices)


def statement(condition: str, chosen: list[str], order: Order) -> str:
    """The SQL whose rows are the hits; the person's text stands alone on its lines, so that a comment in it ends with them."""
    text = condition.strip().rstrip(";")
    if not text:
        raise InputError(ASKED, "an empty condition", "write, for example, upos = 'NOUN' AND relevance > 0.5")
    asked = text if STATEMENT.match(text) else f"SELECT explanation, word FROM word_relevance WHERE kind = 'word' AND (\n{text}\n)"
    conditions = " AND ".join(["w.kind = 'word'", *chosen])
    return f"""WITH asked AS (
{asked}
)
SELECT w.document, d.corpus, d.identifier, w.role, e.label AS explained, e.target, w.explanation, w.sentence, w.word AS match_start,
       w.word AS match_end, w.form AS match, w.relevance::DOUBLE AS relevance
FROM (SELECT DISTINCT explanation, word FROM asked) a
JOIN word_relevance w ON w.explanation = a.explanation AND w.word = a.word
JOIN explanations e ON e.explanation = w.explanation
JOIN documents d ON d.document = w.document
WHERE {conditions}
ORDER BY {ORDERS[order]}"""
