"""Measure a trained pipeline on text it never saw; writes figures.json and CARD.md (from `card.md.jinja`) beside it.

`WORKBENCH_MIRROR=... OMP_NUM_THREADS=1 python pipelines/training/bengali_tagger/measure.py [folder]`
"""

from __future__ import annotations

import csv
import json
import os
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import jinja2
import spacy
from examples import as_posts_are, compatible, lemmatised, part_of_speech
from sources import Sentence, Token, universal
from spacy.language import Language
from spacy.tokens import Doc

import workbench.annotation.bengali_lemmas  # registers the lemmatizer
import workbench.annotation.bengali_spacy  # noqa: F401  registers the tokenizer
from workbench.annotation import annotator, bengali
from workbench.annotation.orthography import well_formed

EMBEDDED = Path(__file__).parents[3] / "workbench" / "annotation" / "embedded" / "bengali"
Usual = dict[str, str]
A = TypeVar("A")
B = TypeVar("B")


def predict(nlp: Language, sentences: Sequence[Sequence[Token]]) -> list[Doc]:
    """The pipeline's annotation of gold words."""
    return list(nlp.pipe((Doc(nlp.vocab, words=[token.form for token in sentence]) for sentence in sentences), batch_size=256))


def flat(left: Sequence[Sequence[A]], right: Sequence[Iterable[B]]) -> list[tuple[A, B]]:
    """Pairs of the words of parallel sentences."""
    return [pair for one, other in zip(left, right, strict=True) for pair in zip(one, other, strict=True)]


def mapped(nlp: Language, sentences: Sequence[Sequence[Token]]) -> list[list[str]]:
    """The universal part of speech of gold tags, by the pipeline's own table."""
    docs = [Doc(nlp.vocab, words=[t.form for t in sentence], tags=[t.tag or "" for t in sentence]) for sentence in sentences]
    return [[token.pos_ for token in nlp.get_pipe("attribute_ruler")(doc)] for doc in docs]


def usual(sentences: Sequence[Sentence], value: Callable[[Token], str | None]) -> Usual:
    """The most frequent value of each form: the baseline, and what counts as a known word."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for token in (token for sentence in sentences for token in sentence.tokens):
        if (found := value(token)) is not None:
            counts[bengali.norm(token.form)][found] += 1
    return {form: values.most_common(1)[0][0] for form, values in counts.items()}


def shares(rows: Sequence[tuple[str, str, str]], known: Usual) -> dict[str, float | int]:
    """Accuracy over (form, gold, predicted) rows: of all words, of known and of unknown ones."""
    hits = {flag: [gold == found for form, gold, found in rows if (bengali.norm(form) in known) is flag] for flag in (True, False)}
    every = hits[True] + hits[False]
    return {
        "words": len(every),
        "accuracy": round(sum(every) / len(every), 4),
        "known": round(sum(hits[True]) / max(len(hits[True]), 1), 4),
        "unknown_words": len(hits[False]),
        "unknown": round(sum(hits[False]) / max(len(hits[False]), 1), 4),
    }


def tags(nlp: Language, sentences: Sequence[Sequence[Token]], known: Usual) -> dict[str, Any]:
    """XPOS, UPOS and features of tagged sentences, beside the most frequent tag of each form (a noun for unknown ones)."""
    docs, gold_pos = predict(nlp, sentences), mapped(nlp, sentences)
    pairs = [(gold, token, pos) for (gold, token), pos in zip(flat(sentences, docs), chain(*gold_pos), strict=True)]
    tagged = [(gold, token, pos) for gold, token, pos in pairs if gold.tag]
    baseline = [[Token(t.form, known.get(bengali.norm(t.form), "NC")) for t in sentence] for sentence in sentences]
    guesses = [(token.tag or "", pos) for token, pos in flat(baseline, mapped(nlp, baseline))]
    based = [(gold, pos, guess) for (gold, _, pos), guess in zip(pairs, guesses, strict=True) if gold.tag]
    featured = [(gold.form, gold.features, str(token.morph) or "_") for gold, token, _ in pairs if gold.features is not None]
    return {
        "xpos": shares([(gold.form, gold.tag or "", token.tag_) for gold, token, _ in tagged], known),
        "upos": shares([(gold.form, pos, token.pos_) for gold, token, pos in tagged], known),
        "features": shares([(form, gold or "_", found) for form, gold, found in featured], known) if featured else None,
        "baseline_xpos": shares([(gold.form, gold.tag or "", guess[0]) for gold, _, guess in based], known),
        "baseline_upos": shares([(gold.form, pos, guess[1]) for gold, pos, guess in based], known),
    }


def lemma_figures(nlp: Language, mirror: Path) -> dict[str, Any]:
    """Lemmas of the ISI test part, beside the most frequent lemma of each form (the form itself for unknown ones)."""
    known = usual(lemmatised(mirror, "train"), lambda token: token.lemma)
    test = lemmatised(mirror, "test")
    docs = predict(nlp, [sentence.tokens for sentence in test])
    pairs = flat([sentence.tokens for sentence in test], docs)
    rows = [(gold.form, bengali.norm(gold.lemma or ""), bengali.norm(token.lemma_)) for gold, token in pairs]
    based = [(form, gold, bengali.norm(known.get(bengali.norm(form), form))) for form, gold, _ in rows]
    return {"lemma": shares(rows, known), "baseline_lemma": shares(based, known)}


def universal_figures(nlp: Language, mirror: Path, known: Usual) -> dict[str, Any]:
    """Part of speech and lemma on UD_Bengali-BRU, by its own conventions, with the commonest differences."""
    blocks = universal(mirror.parent / "ud" / "UD_Bengali-BRU" / "bn_bru-ud-test.conllu")
    sentences = [[Token(line[1]) for line in block] for block in blocks]
    docs = predict(nlp, sentences)
    pairs = flat(blocks, docs)
    baseline = [[Token(t.form, known.get(bengali.norm(t.form), "NC")) for t in sentence] for sentence in sentences]
    guesses = [pos for row in mapped(nlp, baseline) for pos in row]
    differences = Counter(f"{line[3]} here {token.pos_}: {line[1]}" for line, token in pairs if line[3] != token.pos_)
    return {
        "upos": shares([(line[1], line[3], token.pos_) for line, token in pairs], known),
        "baseline_upos": shares([(line[1], line[3], pos) for (line, _), pos in zip(pairs, guesses, strict=True)], known),
        "lemma": shares([(line[1], bengali.norm(line[2]), bengali.norm(token.lemma_)) for line, token in pairs], known),
        "differences": dict(differences.most_common(25)),
    }


def speed(folder: Path, mirror: Path) -> dict[str, Any]:
    """Words a second over real posts in CPU seconds of one thread, from text to words, and how many of their lemmas are broken.

    A first pass, with a cold vocabulary, and without a lexicon.
    """
    posts: list[str] = []
    for part in ("train", "validation", "test"):
        with (mirror / "deephate" / f"{part}.csv").open(encoding="utf-8", newline="") as stream:
            posts += [row["text"] for row in csv.DictReader(stream)]
    annotation = replace(annotator(str(folder)), lemmas=None)
    clock = time.process_time()
    words = [word for post in annotation.annotate(posts) for word in post]
    seconds = time.process_time() - clock
    broken = sum(not well_formed(word.lemma or "", word.form) for word in words)
    rate = round(len(words) / seconds)
    return {"posts": len(posts), "words": len(words), "broken_lemmas": broken, "seconds": round(seconds, 1), "words_per_second": rate}


def tokenization(sentences: Sequence[Sentence]) -> dict[str, float]:
    """Share of gold words that the tokenizer leaves whole."""
    forms = [token.form for sentence in sentences for token in sentence.tokens]
    return {"words": len(forms), "whole": round(sum(len(bengali.spans(form)) == 1 for form in forms) / len(forms), 4)}


def measure(folder: Path, mirror: Path) -> dict[str, Any]:
    """All figures of the pipeline in a folder; `mirror` is the Bengali folder of the mirror."""
    nlp = spacy.load(folder)
    sentences = part_of_speech(mirror)
    train = [sentence for sentence in sentences if sentence.part == "train"]
    held_out = [sentence for sentence in sentences if sentence.part == "held-out"]
    known = usual(train, lambda token: token.tag)
    chance = random.Random(1)
    news = [sentence for sentence in compatible(mirror, train) if sentence.part == "held-out"]
    return {
        "sentences": {"train": len(train), "held-out": len(held_out)},
        "held-out": tags(nlp, [sentence.tokens for sentence in held_out], known),
        "held-out as posts are written": tags(nlp, [as_posts_are(sentence.tokens, chance) for sentence in held_out], known),
        "held-out news (tags on which the schemes agree)": tags(nlp, [sentence.tokens for sentence in news], known),
        "isi test": lemma_figures(nlp, mirror),
        "ud bengali-bru": universal_figures(nlp, mirror, known),
        "tokenizer on held-out": tokenization(held_out),
        "speed": speed(folder, mirror),
        "bytes": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.name not in {"CARD.md", "figures.json"}),
    }


def main() -> None:
    """Measure, write, show."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else EMBEDDED
    figures = measure(folder, Path(os.environ["WORKBENCH_MIRROR"]) / "bengali")
    (folder / "figures.json").write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    template = Path(__file__).with_name("card.md.jinja").read_text(encoding="utf-8")
    card = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False, trim_blocks=True).from_string(template)
    (folder / "CARD.md").write_text(card.render(figures=figures) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(figures, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
