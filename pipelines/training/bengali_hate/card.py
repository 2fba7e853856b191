"""The model card, written from the figures so that it cannot state others."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

TITLES = {
    "wordpiece": "WordPiece",
    "unigram": "Unigram",
    "akshara": "Akshara (syllables)",
    "majority": "**Ensemble, majority vote**",
    "mean_probability": "**Ensemble, mean probability**",
    "baseline": "TF-IDF words 1-2 + characters 2-5, balanced logistic regression",
}
TOKENS = {
    "wordpiece": "WordPiece: words and pieces of words",
    "unigram": "Unigram: pieces, with the mark of the blank before a word",
    "akshara": "orthographic syllables, conjuncts whole; blanks and punctuation one by one",
}


def rows(figures: dict[str, Any]) -> list[dict[str, Any]]:
    """One row a classifier: its title and its scores on the published and the clean test posts."""
    named = {**figures["members"], **figures["ensemble"], "baseline": figures["baseline"]}
    return [{"name": name, "title": TITLES[name], **scores} for name, scores in named.items()]


def card(figures: dict[str, Any]) -> str:
    """The card in Markdown."""
    environment = Environment(
        loader=PackageLoader("pipelines.training.bengali_hate", "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    return environment.get_template("card.md.jinja").render(figures=figures, rows=rows(figures), titles=TITLES, tokens=TOKENS) + "\n"
