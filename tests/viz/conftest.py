"""A synthetic report: real Bengali words, made-up numbers."""

# ruff: noqa: E501, ISC004 - rows of made-up data read best on one line each

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
import regex

from workbench.relevance import ACCOUNTS
from workbench.viz.data import ReportData
from workbench.viz.pair import Pair

POSTS = (
    "এই মন্ত্রী আর তার চামচারা দেশের সব সম্পদ লুট করে খেয়েছে।",
    "পাশের দেশটা সীমান্তে রোজ আমাদের ঠকায় , এদের বিশ্বাস করা যায় না ।",
    "তোর স্ত্রী-কে নিয়ে  এমন কথা বলতে লজ্জা করে না, মূর্খ কোথাকার!",
    "ওই ধর্মের লোকেরা\nকখনো আমাদের বন্ধু হবে না",
    "র‍্যাব ও পুলিশের ক্ষমতা দেখানো বন্ধ করুন, দুর্নীতিবাজ সরকার ১০০% ব্যর্থ",
    "উন্নয়নের গল্প শুনতে শুনতে মানুষ ক্লান্ত, বাজারে চাল-ডালের দাম আকাশছোঁয়া, হাসপাতালে ওষুধ নেই, রাস্তায় গর্ত আর মন্ত্রীরা বিদেশে বাড়ি কিনছে; "
    "এই অপদার্থ নেতাদের জুতাপেটা করে স্বাধীনতা রক্ষা করা উচিত।",
)
LABELS = ("Political", "Personal", "Geopolitical", "Religious")
MODELS = ("bengali-wordpiece", "bengali-unigram", "bengali-characters")
WORD = regex.compile(r"[\p{L}\p{M}\p{N}\u200c\u200d]+")


def number(seed: int) -> float:
    """A repeatable number from -1 to 1."""
    return ((seed * 7919 + 104729) % 2003) / 1001.5 - 1


def words_of(text: str, document: int = 0) -> pl.DataFrame:
    rows = [
        {
            "identifier": f"test-{document:05}",
            "kind": "word",
            "char_start": match.start(),
            "char_end": match.end(),
            "relevance": number(match.start() + 31 * document) ** 3 * 2,
        }
        for match in WORD.finditer(text)
    ]
    rows += [
        {"identifier": f"test-{document:05}", "kind": kind, "char_start": None, "char_end": None, "relevance": 0.1 * document - 0.2}
        for kind in ("special", "uncovered")
    ]
    schema = {"identifier": pl.String, "kind": pl.String, "char_start": pl.Int32, "char_end": pl.Int32, "relevance": pl.Float64}
    return pl.DataFrame(rows, schema=schema)


def tokens_of(text: str, document: int = 0, models: tuple[str, ...] = MODELS) -> pl.DataFrame:
    rows = []
    for place, model in enumerate(models):
        rows.append(
            {
                "identifier": f"test-{document:05}",
                "model": model,
                "piece": "[CLS]",
                "char_start": 0,
                "char_end": 0,
                "special": True,
                "relevance": 0.1,
            }
        )
        for match in WORD.finditer(text):
            step = (12, 4, 1)[place % 3]
            for start in range(match.start(), match.end(), step):
                end = min(start + step, match.end())
                rows.append(
                    {
                        "identifier": f"test-{document:05}",
                        "model": model,
                        "piece": text[start:end],
                        "char_start": start,
                        "char_end": end,
                        "special": False,
                        "relevance": number(start + place),
                    }
                )
    schema = {
        "identifier": pl.String,
        "model": pl.String,
        "piece": pl.String,
        "char_start": pl.Int32,
        "char_end": pl.Int32,
        "special": pl.Boolean,
        "relevance": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema)


def term_rows(labels: tuple[str, ...]) -> list[dict[str, Any]]:
    terms = sorted({match for text in POSTS for match in WORD.findall(text)}, key=len, reverse=True)
    rows = []
    for order, label in enumerate(labels):
        for side, sign in (("for", 1), ("against", -0.6)):
            for rank in range(12):
                mean = sign * 1.9 * 0.84**rank * (1 - 0.1 * order)
                half = 0.06 + 0.03 * rank
                term = terms[(rank * 5 + order * 7 + (side == "against") * 3) % len(terms)]
                rows.append(
                    {"label": label, "side": side, "term": term, "mean": mean, "low": mean - half, "high": mean + half * 0.8,
                     "documents": 400 - 31 * rank, "occurrences": 455 - 33 * rank}
                )  # fmt: skip
    return rows


def faithfulness_rows() -> list[dict[str, Any]]:
    measured = {
        "attnlrp": (0.468, -0.059, 0.61), "occlusion": (0.429, -0.051, 0.57), "integrated_gradients": (0.33, 0.02, 0.41),
        "gradient_x_input": (0.252, 0.127, 0.24), "sensitivity": (0.190, 0.217, 0.11), "random": (0.084, 0.297, 0.002),
    }  # fmt: skip
    metrics = ("comprehensiveness", "sufficiency", "morf_lerf_area")
    return [
        {
            "method": method,
            "ordering": ordering,
            "metric": metric,
            "documents": 300,
            "mean": value * weight,
            "low": value * weight - 0.02,
            "high": value * weight + 0.022,
        }
        for method, values in measured.items()
        for ordering, weight in (("signed", 1.0), ("absolute", 0.86))
        for metric, value in zip(metrics, values, strict=True)
    ]


def build(texts: tuple[str, ...] = POSTS, labels: tuple[str, ...] = LABELS, models: tuple[str, ...] = MODELS, **changes: Any) -> ReportData:
    """A report's data with `changes` to its fields."""
    ledger = [
        {"model": model, "explanations": 8087, "gap": 1e-7, "largest": 3.4e-6, "closed": 1.0}
        | dict(zip(ACCOUNTS, (0.66, 0.03, 0.06 + 0.03 * order, 0.0, 0.15 - 0.03 * order, 0.08, 0.02, 0.0), strict=True))
        for order, model in enumerate(models)
    ]
    fields: dict[str, Any] = {
        "title": "Which words make a model call a Bengali post hateful?",
        "corpus": "bengali-hate",
        "model": "bengali-hate-ensemble",
        "composite": "attnlrp.v1",
        "documents": 8087,
        "classes": pl.DataFrame(
            [{"label": label, "labelled": 3513 // (order + 1), "predicted": 3400 // (order + 1), "precision": 0.86, "recall": 0.835, "f1": 0.847} for order, label in enumerate(labels)]
        ),
        "terms": pl.DataFrame(term_rows(labels)),
        "examples": pl.DataFrame(
            [
                {"identifier": f"test-{order:05}", "text": text, "label": labels[order % len(labels)], "majority": labels[(order + (order == 3)) % len(labels)], "explained": labels[(order + (order == 3)) % len(labels)]}
                for order, text in enumerate(texts)
            ]
        ),
        "predictions": pl.DataFrame(
            [
                {"identifier": f"test-{order:05}", "label": label, "probability": 0.7 if place == order % len(labels) else 0.1, "votes": 3 if place == order % len(labels) else 0}
                for order in range(len(texts))
                for place, label in enumerate(labels)
            ]
        ),
        "words": pl.concat([words_of(text, order) for order, text in enumerate(texts)]),
        "tokens": pl.concat([tokens_of(text, order, models) for order, text in enumerate(texts)]),
        "ledger": pl.DataFrame(ledger),
        "gaps": pl.DataFrame({"model": list(models) * 200, "relative_gap": [10 ** (-7 + 1.5 * number(place)) for place in range(200 * len(models))]}),
        "confusion": pl.DataFrame(
            [{"gold": left, "predicted": right, "documents": 3000 if left == right else 120 + 31 * place} for left in labels for place, right in enumerate(labels)]
        ),
        "quality": pl.DataFrame(
            [{"model": model, "split": split, "documents": size, "macro_f1": 0.83 - 0.01 * order} for order, model in enumerate(["ensemble", *models]) for split, size in (("test", 1200), ("test:clean", 986))]
        ),
        "parts_of_speech": pl.DataFrame(
            [{"label": label, "upos": upos, "mean": number(place * 3 + order) * 0.3, "low": number(place * 3 + order) * 0.3 - 0.04, "high": number(place * 3 + order) * 0.3 + 0.04, "occurrences": 40000 // (place + 1)}
             for order, label in enumerate(labels) for place, upos in enumerate(("NOUN", "PROPN", "VERB", "ADJ", "PRON", "ADV", "PART", "NUM"))]
        ),
        "least_terms": pl.DataFrame([{"label": label, "term": term, "mean_size": 0.004 * (rank + 1), "documents": 300} for label in labels for rank, term in enumerate(("এই", "আর", "করে", "টা", "ও"))]),
        "faithfulness": pl.DataFrame(faithfulness_rows()),
        "planted": pl.DataFrame(
            [{"task": task, "reading": reading, "method": method, "ordering": ordering, "precision_at_k": value, "lowest": value - 0.02, "highest": value + 0.01}
             for task, value in (("single_token", 0.988), ("ordered_pair", 0.91), ("position_only", 0.88)) for method in ("attnlrp", "cplrp", "random")
             for reading in (("tokens", "positions") if method == "attnlrp" else ("tokens",)) for ordering in ("signed", "absolute")]
        ),
        "false_alarms": 0.012,
        "bias": pl.DataFrame([{"label": "Religious", "term": "হিন্দু", "mean": 2.31, "documents": 212, "precision": 0.93},
                              {"label": "Geopolitical", "term": "ভারত", "mean": 1.87, "documents": 389, "precision": 0.88}]),
        "suspects": pl.DataFrame([
            {"kind": "tag", "item": "[via app]", "class": "Geopolitical", "passes": True, "pull": 0.81, "pull_low": 0.7, "pull_high": 0.9, "p_adjusted": 0.001,
             "share": 0.42, "documents": 96, "test": "masked where it stands, beside random words", "command": "workbench counterfactual '[form=\"[via app]\"]'"},
            {"kind": "length", "item": "4 to 9 words", "class": "Religious", "passes": False, "pull": -0.06, "pull_low": -0.1, "pull_high": None,
             "p_adjusted": 0.97, "share": None, "documents": 58, "test": "words that carry less than average repeated", "command": "workbench counterfactual '[words>=4]'"},
        ]),
        "control": "1 of 45 pass",
        "losses": pl.DataFrame([{"model": "bert-base-multilingual-uncased", "documents": 8011, "lost": "ি ু ্ (U+09BF, U+09C1, U+09CD)"}]),
        "failures": pl.DataFrame([{"stage": "encode", "error": "lone surrogate"}]),
        "corpus_facts": {"Posts": "8,087", "Distinct texts": "7,185", "Clean test split": "986 posts", "Repaired records": "1 broken over two lines", "Language": "Bengali"},
        "provenance": {"Store": "bengali.duckdb", "Model fingerprint": "f3b1" * 16, "Composite": "attnlrp.v1", "Precision": "float32", "Started": "2026-11-23 20:14 UTC", "Time": "7 min 12 s", "Machine": "2 cores, no GPU"},
        "queries": (("Which words speak most for Political?", "SELECT lemma, avg(relevance) AS mean, count(DISTINCT document) AS documents\nFROM word_relevance\nWHERE label = 'Political' AND kind = 'word'\nGROUP BY lemma HAVING documents > 20\nORDER BY mean DESC LIMIT 20;"),),
        "commands": (("workbench query top_terms --label Political", "the table above, with more rows"), ("workbench show test-00003", "one post in the terminal")),
        "selection": "the first of each class",
    }  # fmt: skip
    return ReportData(**(fields | changes))


@pytest.fixture
def data() -> Callable[..., ReportData]:
    return build


@pytest.fixture
def words() -> Callable[..., pl.DataFrame]:
    return words_of


@pytest.fixture
def tokens() -> Callable[..., pl.DataFrame]:
    return tokens_of


WRITTEN = regex.compile(r"\S+")


def pair_words(text: str) -> pl.DataFrame:
    """Words are what stands between blanks."""
    rows = [
        (place, *match.span(), match.group().lower(), "NOUN" if place % 2 else "VERB", "obj")
        for place, match in enumerate(WRITTEN.finditer(text))
    ]
    schema = {"word": pl.Int32, "char_start": pl.Int32, "char_end": pl.Int32, "lemma": pl.String, "upos": pl.String, "relation": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def build_pair(left: str = "A man plays", right: str = "মানুষটি গিটার বাজায় now", sign: int = 0, **changes: Any) -> Pair:
    """A pair with every kind of unit; `sign` makes all cells of one sign."""
    sides = [pair_words(text) for text in (left, right)]
    kinds = [[("word", word) for word in words["word"]] + [(kind, None) for kind in ("special", "positions", "bias")] for words in sides]
    rows = []
    for order, (one, other) in enumerate((one, other) for one in kinds[0] for other in kinds[1]):
        value = number(order * 3 + len(left)) ** 3 * 0.2
        match = "identical" if one == other else "other"
        rows.append((*one, *other, abs(value) * sign if sign else value, match if one[0] == other[0] == "word" else None))
    schema = {
        "left_kind": pl.String,
        "left_word": pl.Int32,
        "right_kind": pl.String,
        "right_word": pl.Int32,
        "relevance": pl.Float64,
        "match": pl.String,
    }
    cells = pl.DataFrame(rows, schema=schema, orient="row")
    fields: dict[str, Any] = {
        "left_text": left, "right_text": right, "left_words": sides[0], "right_words": sides[1], "cells": cells,
        "similarity": float(cells["relevance"].sum()), "identifier": "pair-00001", "left_language": "en", "right_language": "bn",
    }  # fmt: skip
    return Pair(**(fields | changes))


@pytest.fixture
def pair() -> Callable[..., Pair]:
    return build_pair
