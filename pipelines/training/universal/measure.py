"""What a pipeline gets right on sentences it has not seen, by spaCy's Scorer, and the card that says so."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jinja2
import spacy
from spacy.language import Language

from pipelines.training.universal.languages import Recipe
from pipelines.training.universal.training import material
from pipelines.training.universal.treebanks import Sentence, as_example, read, texts

FIGURES = {
    "words": "token_f",
    "upos": "pos_acc",
    "xpos": "tag_acc",
    "features": "morph_acc",
    "lemma": "lemma_acc",
    "uas": "dep_uas",
    "las": "dep_las",
    "sentences": "sents_f",
}


def score(nlp: Language, sentences: Sequence[Sentence], *, gold_words: bool = False) -> dict[str, float]:
    """Accuracies from 0 to 1 on texts of ten consecutive sentences; punctuation is left out of UAS and LAS, as spaCy's Scorer does."""
    scores = nlp.evaluate([as_example(nlp, text, gold_words=gold_words) for text in texts(sentences)], batch_size=32)
    return {name: round(float(scores[figure]), 4) for name, figure in FIGURES.items() if scores.get(figure) is not None}


def figures(recipe: Recipe, folder: Path, mirror: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Scores on every test of the recipe, size and speed."""
    nlp = spacy.load(folder)
    tests = {}
    for part in recipe.test:
        sentences = read(part, mirror)
        name = f"{part.treebank} test" if part.part == "whole" else f"{part.treebank}, a fifth held out"
        tests[name] = {
            "count": {"sentences": len(sentences), "words": sum(map(len, sentences))},
            "text": score(nlp, sentences),
            "gold words": score(nlp, sentences, gold_words=True),
        }
        say(f"{name}: {json.dumps(tests[name])}")
    plain = [as_example(nlp, text).reference.text for text in texts(read(recipe.test[0], mirror))]
    started = time.process_time()
    words = sum(map(len, nlp.pipe(plain)))
    return {
        "language": recipe.name,
        "tests": tests,
        "training": {
            **nlp.meta["training"],
            "treebanks": [{"sentences": len(sentences), "words": sum(map(len, sentences))} for sentences in material(recipe, mirror)],
        },
        "bytes": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.name not in {"CARD.md", "figures.json"}),
        "words_per_cpu_second": round(words / (time.process_time() - started), -2),
    }


def write(recipe: Recipe, folder: Path, mirror: Path, say: Callable[[str], None]) -> None:
    """Measure the pipeline in a folder; write figures.json and CARD.md into it."""
    found = figures(recipe, folder, mirror, say)
    (folder / "figures.json").write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    template = Path(__file__).with_name("card.md.jinja").read_text(encoding="utf-8")
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True)
    card = environment.from_string(template).render(recipe=recipe, figures=found)
    (folder / "CARD.md").write_text(card.rstrip() + "\n", encoding="utf-8")
