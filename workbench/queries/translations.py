"""Stored translations as the views draw them: both texts by their words, what each generated word took from where, and how good it is."""

from __future__ import annotations

import polars as pl

from workbench.store import Store
from workbench.viz.contribution_map import ContributionData
from workbench.viz.figures import figure, share

#: Generated words, and behind them what was generated and is no word; the source's words.
STEPS = """
WITH generated AS (
    SELECT g.kind, g.word, sum(g.share * s.source_size) / nullif(sum(g.share * (s.source_size + s.prefix_size)), 0) AS source_share,
           string_agg(t.piece, ' ' ORDER BY s.step) AS pieces
    FROM kept.step s JOIN kept.explanation e ON e.explanation = s.explanation
    JOIN kept.token_share g ON g.document = e.document AND g.role = e.role AND g.tokenizer = e.tokenizer AND g.token = s.step
    JOIN kept.token t ON t.document = e.document AND t.role = e.role AND t.tokenizer = e.tokenizer AND t.token = s.step
    WHERE s.explanation = $explanation GROUP BY ALL
)
SELECT g.kind::VARCHAR AS kind, g.word, (row_number() OVER (ORDER BY g.word NULLS LAST, g.kind) - 1)::INTEGER AS step,
       coalesce(w.form, g.pieces) AS form, w.lemma, w.upos, g.source_share
FROM generated g LEFT JOIN kept.word w ON w.document = $document AND w.role = $role AND w.word = g.word ORDER BY step"""
SOURCES = "SELECT word AS place, form, lemma, upos FROM words WHERE document = $document AND role = 'source' ORDER BY word"
CELLS = """
SELECT generated::VARCHAR AS kind, word, side::VARCHAR AS side, kind::VARCHAR AS other, other_word, relevance::DOUBLE AS relevance
FROM word_contributions WHERE explanation = $explanation"""
ACCOUNTS = """
WITH sums AS (
    SELECT g.kind::VARCHAR AS kind, g.word, sum(g.share * s.beginning) AS beginning, sum(g.share * s.positions) AS positions,
           sum(g.share * s.biases) AS biases, sum(g.share * s.softmax) AS softmax, sum(g.share * s.nonlinear) AS nonlinear
    FROM kept.step s JOIN kept.explanation e ON e.explanation = s.explanation
    JOIN kept.token_share g ON g.document = e.document AND g.role = e.role AND g.tokenizer = e.tokenizer AND g.token = s.step
    WHERE s.explanation = $explanation GROUP BY ALL
)
UNPIVOT sums ON beginning, positions, biases, softmax, nonlinear INTO NAME other VALUE relevance"""
#: Qualities that are said above a view.
TOLD = {"chrf": "chrF", "similarity_to_source": "similarity to source", "similarity_to_reference": "similarity to reference"}
#: Units of what is explained.
UNITS = {"argmax": "logit", "token": "logit", "log_probability": "log-probability", "contrast": "logit difference"}


def translations(
    store: Store,
    identifier: str,
    corpus: str | None = None,
    model: str | None = None,
    composite: str | None = None,
    role: str | None = None,
) -> list[ContributionData]:
    """Each explained translation of the document of this identifier, word by word; none where nothing of it was explained."""
    found = store.sql("FROM translations WHERE identifier = $1 ORDER BY corpus, model, role, composite, target", [identifier])
    wanted = {"corpus": corpus, "model": model, "composite": composite, "role": role}
    for column, value in wanted.items():
        if value is not None:
            found = found.filter(pl.col(column) == value)
    return [of_row(store, row) for row in found.iter_rows(named=True)]


def of_row(store: Store, row: dict[str, object]) -> ContributionData:
    """The translation of one row of the view `translations`."""
    place = {name: row[name] for name in ("explanation", "document", "role")}
    steps = store.sql(STEPS, place)
    number = steps.select("kind", "word", "step")
    cells = store.sql(CELLS, {"explanation": row["explanation"]})
    accounts = store.sql(ACCOUNTS, {"explanation": row["explanation"]}).with_columns(pl.lit("account").alias("side"))
    joined = pl.concat([cells, accounts], how="diagonal").join(number, on=["kind", "word"], nulls_equal=True)
    return ContributionData(
        store.sql(SOURCES, {"document": row["document"]}),
        steps.select("step", "form", "lemma", "upos", "source_share"),
        as_cells(joined),
        unit=unit(row),
        identifier=str(row["identifier"]),
        source_language=None if row["source_language"] is None else str(row["source_language"]),
        target_language=None if row["target_language"] is None else str(row["target_language"]),
        facts=facts(store, row),
    )


def as_cells(joined: pl.DataFrame) -> pl.DataFrame:
    """Cells by kind and place from rows `step`, `side`, `other`, `other_word`, `relevance`; a word's own earlier tokens are `itself`.

    Accounts in which nothing is are left out.
    """
    words = pl.col("other") == "word"
    earlier = words & (pl.col("side") == "prefix") & (pl.col("other_word") < pl.col("step"))
    kind = (
        pl.when(words & (pl.col("side") == "source"))
        .then(pl.lit("source"))
        .when(earlier)
        .then(pl.lit("prefix"))
        .when(words)
        .then(pl.lit("itself"))
        .otherwise(pl.col("other"))
        .alias("kind")
    )
    named = joined.select("step", kind, "other_word", "relevance")
    placed = pl.when(pl.col("kind").is_in(["source", "prefix"])).then("other_word").alias("place")
    summed = named.select("step", "kind", placed, "relevance").group_by("step", "kind", "place").agg(pl.col("relevance").sum())
    empty = (pl.col("relevance").abs().max().over("kind") == 0) & ~pl.col("kind").is_in(["source", "prefix"])
    return summed.filter(~empty).sort("step", "kind", "place")


def unit(row: dict[str, object]) -> str:
    """What relevance is in units of; methods that give shares explain 1 at every step."""
    whole = abs(float(str(row["target_value"])) - float(str(row["steps"]))) < 1e-3 * float(str(row["steps"]))
    target = str(row["target"])
    return "share" if whole and target in ("argmax", "token") else UNITS.get(target, target)


def facts(store: Store, row: dict[str, object]) -> dict[str, str]:
    """What is said above a translation."""
    scores = store.sql(
        "SELECT metric, value FROM qualities WHERE document = $1 AND role = $2 AND model = $3", [row["document"], row["role"], row["model"]]
    )
    known = {str(metric): float(value) for metric, value in scores.iter_rows()}
    own = row["role"] == f"hypothesis:{row['model']}"
    found = {"system": str(row["model"]), "method": str(row["composite"]), "text": "" if own else str(row["role"])}
    if row["source_share"] is not None:
        found["from the source"] = share(float(str(row["source_share"])), 0)
    found |= {name: figure(known[metric]) for metric, name in TOLD.items() if metric in known}
    found["log-probability of a token"] = figure(float(str(row["log_probability"])))
    return {name: value for name, value in found.items() if value}
