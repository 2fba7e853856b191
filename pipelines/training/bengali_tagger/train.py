"""Train the embedded Bengali pipeline: `WORKBENCH_MIRROR=... OMP_NUM_THREADS=1 python pipelines/training/bengali_tagger/train.py`.

1. Read the corpora; drop repeated sentences; split by sentence (hash of the letters), never by word.
2. Train tagger, features and lemmas over one shared tok2vec, in the order of a seeded shuffle, each sentence also as a post might have it.
3. Keep the weights of the epoch that is best on the development part; add the table of universal parts of speech.
4. Write the pipeline without the training vocabulary; measure it on the held-out part (`measure.py`).
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import spacy
from examples import as_example, as_posts_are, compatible, lemmatised, listed, part_of_speech
from sources import Sentence
from spacy.language import Language
from spacy.training import Example
from spacy.training.batchers import minibatch_by_words
from stems import stems
from tagset import RULES, UNIVERSAL
from thinc.api import fix_random_seed

import workbench.annotation.bengali_lemmas  # registers the lemmatizer
import workbench.annotation.bengali_spacy  # noqa: F401  registers the tokenizer
from workbench.annotation import bengali

CONFIG = Path(__file__).with_name("config.cfg")
EMBEDDED = Path(__file__).parents[3] / "workbench" / "annotation" / "embedded" / "bengali"
EPOCHS = 9
LEARN_RATE = 0.002
BATCH_WORDS = 400
PAIRS_AN_EPOCH = 5000
DROPOUT = 0.15

META = {
    "name": "bengali",
    "version": "1.0.0",
    "description": "Bengali words: part of speech (IL-POST and universal), features and lemmas; see CARD.md",
    "license": "Apache-2.0",
}

Scorer = Callable[[Language], dict[str, float]]
SEED = 20


def say(line: str) -> None:
    """A line of progress."""
    sys.stderr.write(line + "\n")


def create() -> Language:
    """An untrained pipeline after `config.cfg`, with the table of universal parts of speech."""
    nlp = spacy.util.load_model_from_config(spacy.util.load_config(CONFIG), auto_fill=True)
    tabulate(nlp)
    return nlp


def tabulate(nlp: Language) -> None:
    """Give the pipeline the table of universal parts of speech; `initialize` empties it, so this comes after it too."""
    ruler: Any = nlp.get_pipe("attribute_ruler")
    ruler.clear()
    for tag, universal in UNIVERSAL.items():
        ruler.add([[{"TAG": tag}]], {"POS": universal})
    for pattern, index, universal in RULES:
        ruler.add([pattern], {"POS": universal}, index=index)


def batches(nlp: Language, sentences: Sequence[Sentence], chance: random.Random) -> Iterator[list[Example]]:
    """One epoch in a new order: sentences as posts might have them, those with lemmas twice, and some of the word-lemma pairs."""
    pairs = [sentence for sentence in sentences if sentence.corpus == "banel"]
    running = [sentence for sentence in sentences if sentence.corpus != "banel"]
    order = [*running, *(s for s in running if s.corpus == "isi"), *chance.sample(pairs, min(PAIRS_AN_EPOCH, len(pairs)))]
    chance.shuffle(order)
    drawn = (as_example(nlp, as_posts_are(sentence.tokens, chance), learn=True) for sentence in order)
    yield from minibatch_by_words(drawn, size=BATCH_WORDS, tolerance=0.2, discard_oversize=False)


def material(mirror: Path, tagged: Sequence[Sentence]) -> list[Sentence]:
    """Everything to learn from: tagged sentences, news, lemmas in running text, and word-lemma pairs whose word no evaluated text has."""
    train = [sentence for sentence in tagged if sentence.part == "train"]
    lemmas_aside = [*lemmatised(mirror, "dev"), *lemmatised(mirror, "test")]
    aside = {sentence.key for sentence in (*(s for s in tagged if s.part != "train"), *lemmas_aside)}
    unseen = {bengali.norm(token.form) for sentence in lemmas_aside for token in sentence.tokens}
    news = [sentence for sentence in compatible(mirror, train) if sentence.part == "train"]
    pairs = [sentence for sentence in (*listed(mirror), *stems()) if bengali.norm(sentence.tokens[0].form) not in unseen]
    say(f"{len(train)} tagged sentences, {len(news)} of news, {len(pairs)} word-lemma pairs")
    return [sentence for sentence in (*train, *news, *lemmatised(mirror, "train"), *pairs) if sentence.key not in aside]


def fit(nlp: Language, sentences: Sequence[Sentence], development: Scorer, *, epochs: int, seed: int) -> bytes:
    """Train, and return the weights (averaged over steps) of the epoch that scores best on the development part."""
    chance = random.Random(seed)
    untouched = [as_example(nlp, sentence.tokens) for sentence in sentences]
    optimizer = nlp.initialize(lambda: untouched)
    tabulate(nlp)
    best, kept, started = 0.0, b"", time.process_time()
    for epoch in range(epochs):
        optimizer.learn_rate = LEARN_RATE * (1 - epoch / epochs)
        for batch in batches(nlp, sentences, chance):
            nlp.update(batch, sgd=optimizer, drop=DROPOUT)
        with nlp.use_params(optimizer.averages):
            scores = development(nlp)
            shown = " ".join(f"{name} {score:.4f}" for name, score in scores.items())
            say(f"epoch {epoch}: {shown}, {time.process_time() - started:.0f} CPU seconds")
            if sum(scores.values()) > best:
                best, kept = sum(scores.values()), nlp.to_bytes(exclude=["vocab"])
    return kept


def scorer(mirror: Path, tagged: Sequence[Sentence]) -> Scorer:
    """Accuracy of tags, features and lemmas on the development parts."""
    aside = [sentence for sentence in tagged if sentence.part == "development"]
    parts = {
        "tag_acc": aside,
        "morph_acc": [sentence for sentence in aside if sentence.tokens[0].features is not None],
        "lemma_acc": lemmatised(mirror, "dev"),
    }

    def score(nlp: Language) -> dict[str, float]:
        return {name: nlp.evaluate([as_example(nlp, s.tokens) for s in part], batch_size=256)[name] for name, part in parts.items()}

    return score


def main() -> None:
    """Train, choose, write."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--output", type=Path, default=EMBEDDED)
    arguments.add_argument("--epochs", type=int, default=EPOCHS)
    arguments.add_argument("--seed", type=int, default=SEED)
    options = arguments.parse_args()
    mirror = Path(os.environ["WORKBENCH_MIRROR"]) / "bengali"
    fix_random_seed(options.seed)
    tagged = part_of_speech(mirror)
    nlp = create()
    kept = fit(nlp, material(mirror, tagged), scorer(mirror, tagged), epochs=options.epochs, seed=options.seed)
    write(nlp.from_bytes(kept), options.output)


def write(nlp: Language, folder: Path) -> None:
    """Write the pipeline with the strings it needs to name its labels, and none of the words it was trained on."""
    fresh = create()
    fresh.from_bytes(nlp.to_bytes(exclude=["vocab"]))
    tabulate(fresh)  # reading bytes adds the table a second time
    fresh.meta.update(META)
    lemmatizer: Any = fresh.get_pipe("trainable_lemmatizer")
    # a tree stands after its branches; those after the last label came up in training and are none
    lemmatizer.trees.from_json([lemmatizer.trees[number] for number in range(max(lemmatizer.labels) + 1)])
    for tree in lemmatizer.labels:
        for piece in pieces(lemmatizer.trees, tree):
            fresh.vocab.strings.add(nlp.vocab.strings[piece])
    for name in ("tagger", "morphologizer"):
        pipe: Any = nlp.get_pipe(name)
        for label in pipe.labels:
            fresh.vocab.strings.add(label)
    fresh.to_disk(folder)


def pieces(trees: Any, number: int) -> Iterator[int]:
    """Hashes of the strings that an edit tree replaces and puts in their place."""
    if number < len(trees):  # a missing branch has the largest number there is
        tree = trees[number]
        yield from (piece for piece in (tree.get("orig"), tree.get("subst")) if piece)
        for branch in ("prefix_tree", "suffix_tree"):
            if branch in tree:
                yield from pieces(trees, tree[branch])


if __name__ == "__main__":
    main()
