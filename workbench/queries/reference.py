"""The reference page of the SQL surface, made from the comments that every view and column of a store carries."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl

from workbench.queries.question import describe, names
from workbench.store import Store

VIEWS = """
SELECT v.view_name AS view, v.comment AS meaning FROM duckdb_views() v
WHERE v.database_name = current_database() AND v.schema_name = 'main' AND NOT v.internal ORDER BY ALL"""
COLUMNS = """
SELECT c.table_name AS view, c.column_name AS name, c.data_type AS type, c.comment AS meaning FROM duckdb_columns() c
WHERE c.database_name = current_database() AND c.schema_name = 'main' AND NOT c.internal ORDER BY c.table_name, c.column_index"""
#: Letters up to which a type is written out; enumerations are longer, and their comment says what they hold.
TYPE = 24
HEAD = """# SQL

Every store answers SQL: `workbench sql "SELECT …"`, a cell `%%sql` in a notebook, `Store.sql(…)` in Python, or any DuckDB client on the
file. These views are the surface that stays; what lies beneath them (`kept`) may change. The same sentences stand in the store itself:
`SELECT column_name, comment FROM duckdb_columns() WHERE table_name = 'word_relevance'`. This page is made by `workbench sql --reference`;
the tests run every statement on it.

* Relevance is in units of the target (`explanations.target`); over words, special and uncovered tokens it sums to what the tokens got.
* Documents are the unit of statistics: average within a document first, then over documents.
* Where a store holds several models or composites, choose one: `WHERE model = … AND composite = …`.
* Numbers such as `document` and `explanation` join views within one store; `identifier` and `fingerprint` are the same in all.
"""
QUESTIONS = """## Questions by name

`workbench query NAME --sql` prints the statement behind each; `--set name=value` gives what it takes.
"""
EXAMPLES = {
    "Relevance by part of speech, documents first": """
WITH by_document AS (
    SELECT document, upos, sum(relevance::DOUBLE) AS relevance FROM word_relevance WHERE kind = 'word' GROUP BY ALL
)
SELECT upos, avg(relevance) AS mean, count(*) AS documents FROM by_document GROUP BY ALL ORDER BY mean DESC""",
    "Lemmas that speak most for a class": """
SELECT w.label, coalesce(w.lemma, w.form) AS lemma, avg(w.relevance) AS mean, count(DISTINCT w.document) AS documents
FROM word_relevance w WHERE w.kind = 'word' GROUP BY ALL HAVING documents >= 3 ORDER BY mean DESC LIMIT 20""",
    "The words of one document": """
SELECT d.identifier, w.model, w.label, w.word, w.form, w.relevance FROM word_relevance w JOIN documents d USING (document)
WHERE d.identifier = 'post-003' AND w.kind = 'word' ORDER BY w.model, w.label, w.word""",
    "Where the model errs, and how sure it was": """
SELECT d.identifier, d.label, p.label AS predicted, p.probability FROM predictions p JOIN documents d USING (document)
QUALIFY row_number() OVER (PARTITION BY p.document, p.role, p.model ORDER BY p.probability DESC) = 1 AND p.label <> d.label
ORDER BY p.probability DESC""",
    "Do the ledgers close?": """
SELECT model, composite, count(*) AS explanations, max(relative_gap) AS largest_gap FROM explanations GROUP BY ALL ORDER BY ALL""",
    "Relevance of the first words against the others": """
SELECT word = 0 AS first, avg(relevance) AS mean, count(*) AS words FROM word_relevance WHERE kind = 'word' GROUP BY ALL ORDER BY ALL""",
    "Words next to a negation": """
SELECT n.form AS negation, w.form, w.relevance FROM word_relevance n
JOIN word_relevance w ON w.explanation = n.explanation AND w.word = n.word + 1
WHERE n.kind = 'word' AND w.kind = 'word' AND n.lemma IN ('not', 'never', 'না') ORDER BY w.relevance DESC LIMIT 20""",
    "How positions carry relevance": """
SELECT * FROM position_relevance ORDER BY ALL LIMIT 20""",
    "Which parts of speech make two texts similar": """
SELECT left_upos, right_upos, sum(relevance::DOUBLE) AS relevance, count(*) AS cells FROM interactions
WHERE left_kind = 'word' AND right_kind = 'word' GROUP BY ALL ORDER BY relevance DESC""",
    "What each translation took from its source": """
SELECT identifier, model, composite, source_share FROM translations ORDER BY source_share DESC""",
    "What was run, and what could not be explained": """
SELECT r.run, r.pipeline, r.status, r.started, (SELECT count(*) FROM failures) AS failures FROM runs r ORDER BY r.run""",
    "Is the method faithful? Beside random order": """
SELECT model, method, metric, avg(value) AS mean, count(DISTINCT document) AS documents FROM faithfulness GROUP BY ALL ORDER BY ALL""",
}


def page() -> str:
    """The page in Markdown: what to know, statements to start from, every view with its columns, and the questions that have a name."""
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "store.duckdb", "write") as store:
        views, columns = store.sql(VIEWS), store.sql(COLUMNS)
    parts = [HEAD, "## To start from\n"]
    parts += [f"{title}:\n\n```sql\n{statement.strip()}\n```\n" for title, statement in EXAMPLES.items()]
    parts.append("## Views\n")
    parts.append(table(("view", "what it holds"), [(f"[`{name}`](#{name})", meaning) for name, meaning in views.iter_rows()]))
    for name, meaning in views.iter_rows():
        parts.append(f"### {name}\n\n{str(meaning)[:1].upper()}{str(meaning)[1:]}.\n")
        own = columns.filter(pl.col("view") == name)
        parts.append(table(("column", "type", "meaning"), [
            (f"`{column}`", f"`{kind}`" if len(kind) <= TYPE else kind.split("(")[0], says)
            for column, kind, says in own.select("name", "type", "meaning").iter_rows()
        ]))  # fmt: skip
    parts.append(QUESTIONS)
    parts.append(table(("question", "answers", "takes"), [
        (f"`{name}`", question.title, ", ".join(f"`{one.name}`" for one in question.parameters if one.required) or "–")
        for name in names() for question in (describe(name),)
    ]))  # fmt: skip
    return "\n".join(parts)


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines) + "\n"
