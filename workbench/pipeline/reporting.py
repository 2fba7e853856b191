"""From a store to a report: the queries that a page is made of, gathered once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from workbench.annotation.lexicon import identity_words
from workbench.errors import PipelineError
from workbench.evaluation.planted import PlantedResult, from_json
from workbench.pipeline.provenance import losses, provenance
from workbench.pipeline.report_index import Asked, tables, terms_index
from workbench.pipeline.report_suspects import suspects
from workbench.queries import query
from workbench.store import Store
from workbench.viz.data import ReportData
from workbench.viz.figures import share
from workbench.viz.report import report
from workbench.viz.similarity_report import similarity_report
from workbench.viz.translation_report import translation_report

EXAMPLES_RIGHT, EXAMPLES_WRONG = 8, 4
TERMS, TERM_DOCUMENTS = 12, 3
#: An identity word is named from here on: that it moves the model at all is worth knowing.
IDENTITY = {"minimum_documents": 3, "minimum_precision": 0.6, "minimum_share": 0.2}
#: What the queries call the two ways to decide.
DECIDED_BY = {"vote": "votes", "probability": "probability"}
STRONGEST = """SELECT label, lemma, avg(relevance) AS mean, count(*) AS n
  FROM word_relevance
 WHERE kind = 'word' AND model = '{model}'
 GROUP BY ALL HAVING n >= 5 ORDER BY mean DESC LIMIT 20"""
BY_PART_OF_SPEECH = """SELECT upos, sum(abs(relevance)) AS size
  FROM word_relevance
 WHERE model = '{model}' GROUP BY upos ORDER BY size DESC"""
LANGUAGE = "SELECT DISTINCT language FROM documents WHERE corpus = $corpus AND language IS NOT NULL"
QUESTIONS = (
    ("Which words speak most for a class?", STRONGEST),
    ("How much does each part of speech carry?", BY_PART_OF_SPEECH),
    ("Does every ledger close?", "SELECT model, max(relative_gap) FROM explanations GROUP BY model"),
)


def planted_path(store: Path) -> Path:
    """Where the planted control that belongs to a store is kept."""
    return store.with_name(store.name + ".planted.json")


def page(path: Path, number: int | None = None) -> str:
    """The report of a run, by default of the last, as one HTML page.

    Raises StoreError for a store that cannot be read and PipelineError for one without a finished run, or without this one.
    """
    with Store.open(path, "read", run=number) as store:
        run = last_run(store, path, number)
        declared = json.loads(run["parameters"])
        if declared.get("translation"):
            from workbench.pipeline.translation.reporting import translation_data

            return translation_report(translation_data(store, path, run))
        if declared.get("similarity"):
            from workbench.pipeline.similarity.reporting import similarity_data

            return similarity_report(similarity_data(store, path, run))
        return report(gathered(store, path, run))


def report_data(path: Path) -> ReportData:
    """Everything that the report of the store's last run shows, where labels are explained; errors as for `page`."""
    with Store.open(path, "read") as store:
        return gathered(store, path, last_run(store, path))


def last_run(store: Store, path: Path, number: int | None = None) -> dict[str, Any]:
    """The last run that ended well, or the one of this number."""
    asked = "SELECT * FROM runs WHERE status = 'finished' AND coalesce(run = $run::INTEGER, true) ORDER BY run DESC LIMIT 1"
    runs = store.sql(asked, {"run": number}).to_dicts()
    if not runs and number is not None:
        remedy = "see the runs: workbench sql 'SELECT run, pipeline, status FROM runs'"
        raise PipelineError(f"report on run {number} of {path}", "no finished run of that number", remedy)
    if not runs:
        raise PipelineError(f"report on {path}", "no finished run in the store", "run a pipeline into it: workbench run bengali-hate")
    return runs[0]


def gathered(store: Store, path: Path, run: Mapping[str, Any]) -> ReportData:
    """The report's frames for one run."""
    declared = json.loads(run["parameters"])
    corpus, composite = declared["corpus"]["name"], declared["relevance"]["composite"]
    ledger = query(store, "conservation", corpus=corpus)
    model = str(ledger.filter(~pl.col("member"))["model"][0])
    shown = {"model": model, "composite": composite, "corpus": corpus}
    by = DECIDED_BY[declared["relevance"]["decision"]]
    examples = chosen_examples(store, shown)
    facts = query(store, "coverage").filter(pl.col("corpus") == corpus).to_dicts()[0]
    control = planted_result(path)
    suspected, passing = suspects(store, shown)
    language = languages[0] if len(languages := store.sql(LANGUAGE, {"corpus": corpus})["language"].to_list()) == 1 else None
    data = ReportData(
        title=declared["title"] or run["pipeline"],
        corpus=corpus,
        model=model,
        composite=composite,
        documents=int(facts["explained"]),
        classes=classes(store, shown, by),
        terms=query(store, "top_terms", limit=TERMS, minimum_documents=TERM_DOCUMENTS, form="form", **shown),
        least_terms=query(store, "least_terms", limit=TERMS, form="form", **shown),
        examples=examples.drop("document"),
        predictions=of_examples(store, examples, "SELECT document, label, probability, votes FROM predictions WHERE model = $model", model),
        words=words_of(store, examples, shown),
        tokens=tokens_of(store, examples, model),
        ledger=ledger,
        gaps=store.sql("SELECT model, relative_gap FROM explanations"),
        confusion=query(store, "confusion", model=model, corpus=corpus, by=by),
        quality=quality(store, corpus, by),
        parts_of_speech=parts_of_speech(store, shown),
        faithfulness=faithfulness(store, model, corpus),
        planted=None if control is None else control.summary(),
        false_alarms=None if control is None else control.false_alarms,
        bias=bias(store, shown, language),
        suspects=suspected,
        control=passing,
        losses=losses(store),
        failures=query(store, "failures", corpus=corpus),
        corpus_facts=corpus_facts(store, corpus, facts),
        provenance=provenance(store, run),
        queries=tuple((question, statement.format(model=model)) for question, statement in QUESTIONS),
        commands=commands(path, str(examples["identifier"][0]) if len(examples) else ""),
        notices=tuple(declared["notes"]),
        selection=f"the surest {EXAMPLES_RIGHT} posts that the model gets right and {EXAMPLES_WRONG} that it gets wrong, for each class",
        unit=declared["relevance"]["target"],
        language=language,
        term_kind="form",
        index=terms_index(store, path, shown),
    )
    return replace(data, follow=tables(data, path, asked_by_page(shown, by)))


def asked_by_page(shown: Mapping[str, str], by: str) -> tuple[Asked, ...]:
    """The tables and figures of the page, and the question that each of them asks."""
    alone = {"model": shown["model"], "corpus": shown["corpus"]}
    terms = {"limit": TERMS, "form": "form", **shown}
    return (
        ("classes", "classes", "accuracy", {**alone, "by": by}),
        ("confusion", "confusion", "confusion", {**alone, "by": by}),
        ("terms", "terms", "top_terms", {**terms, "minimum_documents": TERM_DOCUMENTS}),
        ("least important terms", "least_terms", "least_terms", terms),
        ("parts of speech", "parts_of_speech", "relevance_by_upos", shown),
        ("accounts", "ledger", "conservation", {"corpus": shown["corpus"]}),
        ("faithfulness", "faithfulness", "faithfulness", alone),
        ("words that alone carry a class", "bias", "decisive_terms", {**IDENTITY, "form": "form", **shown}),
    )


def classes(store: Store, shown: Mapping[str, str], by: str) -> pl.DataFrame:
    """Each class: documents labelled and predicted, precision, recall, F1."""
    accuracy = query(store, "accuracy", model=shown["model"], corpus=shown["corpus"], by=by).filter(pl.col("label") != "macro")
    confusion = query(store, "confusion", model=shown["model"], corpus=shown["corpus"], by=by)
    predicted = confusion.group_by(pl.col("predicted").alias("label")).agg(pl.col("documents").sum().alias("predicted"))
    found = accuracy.join(predicted, on="label", how="left").with_columns(pl.col("predicted").fill_null(0))
    return found.rename({"documents": "labelled"}).select("label", "labelled", "predicted", "precision", "recall", "f1")


def chosen_examples(store: Store, shown: Mapping[str, str]) -> pl.DataFrame:
    """Posts to show: for each explained class the most certain right ones and the most certain wrong ones."""
    return store.sql(
        """
        WITH explained AS (
            SELECT e.document, d.identifier, s.text, d.label, e.label AS explained, p.probability, d.label = e.label AS hit,
                   row_number() OVER (PARTITION BY e.label, d.label = e.label ORDER BY p.probability DESC, d.identifier) AS place
            FROM explanations e JOIN documents d USING (document) JOIN segments s ON s.document = e.document AND s.role = e.role
            JOIN predictions p ON p.document = e.document AND p.role = e.role AND p.model = e.model AND p.label = e.label
            WHERE e.model = $model AND e.composite = $composite AND d.corpus = $corpus
        ), vote AS (
            SELECT document, arg_max(label, (coalesce(votes, 0), probability)) AS majority
            FROM predictions WHERE model = $model GROUP BY ALL
        )
        SELECT document, identifier, text, label, majority, explained FROM explained JOIN vote USING (document)
        WHERE (hit AND place <= $right) OR (NOT hit AND place <= $wrong) ORDER BY explained, hit DESC, place
        """,
        {**shown, "right": EXAMPLES_RIGHT, "wrong": EXAMPLES_WRONG},
    )


def of_examples(store: Store, examples: pl.DataFrame, statement: str, model: str) -> pl.DataFrame:
    """Rows of a statement that belong to the examples, which they meet by identifier."""
    found = store.sql(statement, {"model": model})
    return found.join(examples.select("document", "identifier"), on="document", maintain_order="left").drop("document")


def words_of(store: Store, examples: pl.DataFrame, shown: Mapping[str, str]) -> pl.DataFrame:
    """Words of the examples with their relevance."""
    statement = f"""
        SELECT w.document, w.kind::VARCHAR AS kind, s.char_start, s.char_end, w.relevance, w.form, w.lemma, w.upos
        FROM word_relevance w LEFT JOIN words s ON s.document = w.document AND s.role = w.role AND s.word = w.word
        WHERE w.model = $model AND w.composite = '{shown["composite"]}' ORDER BY w.document, w.word"""
    return of_examples(store, examples, statement, shown["model"])


def tokens_of(store: Store, examples: pl.DataFrame, model: str) -> pl.DataFrame:
    """Tokens of the examples, as each member cuts the text."""
    members = "SELECT explanation FROM explanations WHERE model = $model"
    statement = f"""
        SELECT e.document, e.model, t.piece, t.char_start, t.char_end, t.special, r.relevance
        FROM explanations e JOIN token_relevance r USING (explanation)
        JOIN tokens t ON t.document = e.document AND t.role = e.role AND t.tokenizer = e.tokenizer AND t.token = r.token
        WHERE e.model = $model OR e.member_of IN ({members}) ORDER BY e.document, e.model, t.token"""
    return of_examples(store, examples, statement, model)


def quality(store: Store, corpus: str, by: str) -> pl.DataFrame | None:
    """Macro-F1 of every model on each split that the corpus names, and on its clean part; None where it names none."""
    statement = """
        SELECT DISTINCT split FROM documents WHERE corpus = $corpus AND split IS NOT NULL
        UNION SELECT DISTINCT split || ':clean' FROM documents WHERE corpus = $corpus AND metadata->>'clean' = 'false' ORDER BY split"""
    frames = [
        query(store, "accuracy", corpus=corpus, split=split, by=by)
        .filter(pl.col("label") == "macro")
        .select("model", pl.lit(split).alias("split"), "documents", pl.col("f1").alias("macro_f1"))
        for split in store.sql(statement, {"corpus": corpus})["split"]
    ]
    return pl.concat(frames) if frames else None


def parts_of_speech(store: Store, shown: Mapping[str, str]) -> pl.DataFrame:
    """Mean relevance by class and part of speech, words alone."""
    return query(store, "relevance_by_upos", **shown).filter(~pl.col("upos").is_in(["special", "uncovered", "none"]))


def faithfulness(store: Store, model: str, corpus: str) -> pl.DataFrame | None:
    """Faithfulness of each method with its interval; None where nothing was measured."""
    found = query(store, "faithfulness", model=model, corpus=corpus)
    return found if len(found) else None


def bias(store: Store, shown: Mapping[str, str], language: str | None) -> pl.DataFrame:
    """Words that alone carry a class: identity words of the language by lemma first, then any word as written."""
    anything = query(store, "decisive_terms", form="form", limit=6, **shown)
    if language is None or (words := identity_words(language)) is None:
        return anything
    named = query(store, "decisive_terms", terms=sorted(words.values), **IDENTITY, **shown)
    return pl.concat([named, anything.join(named, on=["label", "term"], how="anti")])


def planted_result(path: Path) -> PlantedResult | None:
    """The planted control kept beside the store; None where there is none."""
    kept = planted_path(path)
    return from_json(kept.read_text("utf-8")) if kept.is_file() else None


def corpus_facts(store: Store, corpus: str, facts: Mapping[str, Any]) -> dict[str, str]:
    """Name, licence, size and coverage of the corpus."""
    kept = store.sql("SELECT parameters FROM kept.corpus WHERE name = $corpus", {"corpus": corpus})
    declared = json.loads(kept["parameters"][0]) if len(kept) else {}
    return {
        "corpus": f"{corpus}: {declared.get('title', '')}",
        "licence": " ".join(filter(None, (declared.get("licence"), declared.get("licence_note")))),
        "documents": f"{facts['documents']:,} stored, {facts['explained']:,} explained, {facts['failed']:,} failed",
        "seen by the models": f"{share(facts['text_seen'], 2)} of the text on average; {facts['cut']:,} documents were cut",
        "relevance on": f"words {share(facts['words_relevance'])}, special tokens {share(facts['special_relevance'])}, "
        f"tokens outside words {share(facts['uncovered_relevance'])} (shares of |relevance|)",
    }


def commands(path: Path, identifier: str) -> tuple[tuple[str, str], ...]:
    """What to type next."""
    return (
        (f"workbench query top_terms --store {path}", "the strongest words of each class, with intervals"),
        (f"workbench query concordance --store {path} --set term=…", "a word in its contexts, the most relevant first"),
        (f"workbench shortcuts --store {path}", "all that the model may rely on instead of reading, each with its test"),
        (f"workbench show {identifier} --store {path}", "one post, word by word"),
        (f"workbench verify {path}", "read everything back and compare it with the ledger"),
        (f"workbench validate --store {path}", "do the methods find a signal that is known?"),
        (f"workbench export word_relevance words.parquet --store {path}", "the table for your own tools"),
    )
