"""One pipeline from one recipe: the same small encoder under tags, features, lemmas and dependencies."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy
import spacy
from spacy.language import Language
from spacy.training.batchers import minibatch_by_words
from thinc.api import fix_random_seed

from pipelines.training.universal.languages import Recipe
from pipelines.training.universal.treebanks import Sentence, as_example, letters, read, texts

WIDTH = 96
BATCH_WORDS = 500
LEARN_RATE = 0.002
DROPOUT = 0.1
_LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": WIDTH}
_TAGGER = {"@architectures": "spacy.Tagger.v2", "tok2vec": _LISTENER}


def create(recipe: Recipe) -> Language:
    """The untrained pipeline."""
    nlp = spacy.blank(recipe.code)
    nlp.batch_size = 256
    embed = {
        "@architectures": "spacy.MultiHashEmbed.v2",
        "width": WIDTH,
        "attrs": ["NORM", "PREFIX", "SUFFIX", "SHAPE"],
        "rows": [5000, 1000, 2500, 2500],
        "include_static_vectors": False,
    }
    encode = {"@architectures": "spacy.MaxoutWindowEncoder.v2", "width": WIDTH, "depth": 4, "window_size": 1, "maxout_pieces": 3}
    nlp.add_pipe("tok2vec", config={"model": {"@architectures": "spacy.Tok2Vec.v2", "embed": embed, "encode": encode}})
    if recipe.tags:
        nlp.add_pipe("tagger", config={"model": _TAGGER})
    nlp.add_pipe("morphologizer", config={"model": _TAGGER})
    nlp.add_pipe("trainable_lemmatizer", config={"model": _TAGGER, "min_tree_freq": 3, "top_k": 3})
    transitions = {
        "@architectures": "spacy.TransitionBasedParser.v2",
        "state_type": "parser",
        "extra_state_tokens": False,
        "hidden_width": 64,
        "maxout_pieces": 2,
        "use_upper": True,
        "tok2vec": _LISTENER,
    }
    nlp.add_pipe("parser", config={"model": transitions, "min_action_freq": 20})
    return nlp


def material(recipe: Recipe, mirror: Path) -> list[list[Sentence]]:
    """Sentences to learn from, by treebank, without any that a test holds."""
    tested = {letters(sentence) for part in recipe.test for sentence in read(part, mirror)}
    return [[sentence for sentence in read(part, mirror) if letters(sentence) not in tested] for part in recipe.train]


def batches(nlp: Language, treebanks: Sequence[Sequence[Sentence]], chance: random.Random) -> Iterator[list[Any]]:
    """One epoch: texts of a few consecutive sentences in a new order."""
    order = [text for sentences in treebanks for text in texts(sentences, chance)]
    chance.shuffle(order)
    yield from minibatch_by_words((as_example(nlp, text) for text in order), size=BATCH_WORDS, tolerance=0.2, discard_oversize=False)


def train(recipe: Recipe, mirror: Path, seed: int, say: Callable[[str], None]) -> Language:
    """Train for the recipe's epochs with a falling rate; the weights are the average over steps: no epoch is chosen."""
    fix_random_seed(seed)
    chance = random.Random(seed)
    treebanks = material(recipe, mirror)
    say(f"{recipe.name}: {sum(map(len, treebanks))} sentences, {sum(len(s) for sentences in treebanks for s in sentences)} words")
    nlp = create(recipe)
    whole = [as_example(nlp, text, gold_words=True) for sentences in treebanks for text in texts(sentences)]
    optimizer = nlp.initialize(lambda: whole)
    steps = 0
    total = recipe.epochs * sum(len(s) for sentences in treebanks for s in sentences)
    done = 0
    for epoch in range(recipe.epochs):
        losses: dict[str, float] = {}
        for batch in batches(nlp, treebanks, chance):
            warm = min(1.0, (steps + 1) / 100)
            optimizer.learn_rate = LEARN_RATE * warm * max(0.02, 1 - done / total)
            nlp.update(batch, sgd=optimizer, drop=DROPOUT, losses=losses)
            steps += 1
            done += sum(len(example.reference) for example in batch)
        shown = " ".join(f"{name} {loss:.0f}" for name, loss in losses.items())
        say(f"epoch {epoch + 1} of {recipe.epochs}: {shown}; {steps} steps, {time.process_time():.0f} CPU seconds")
    with nlp.use_params(optimizer.averages):
        return bare(recipe, nlp)


def bare(recipe: Recipe, nlp: Language) -> Language:
    """The same pipeline without the vocabulary of its training, its weights rounded to float16 (held as float32: they compress)."""
    fresh = create(recipe)
    fresh.from_bytes(nlp.to_bytes(exclude=["vocab"]))
    lemmatizer: Any = fresh.get_pipe("trainable_lemmatizer")
    # a tree stands after its branches; those after the last label came up in training and are none
    lemmatizer.trees.from_json([lemmatizer.trees[number] for number in range(max(lemmatizer.labels) + 1)])
    names = [nlp.vocab.strings[piece] for tree in lemmatizer.labels for piece in pieces(lemmatizer.trees, tree)]
    for component in ("tagger", "morphologizer", "parser"):
        if component in nlp.pipe_names:
            pipe: Any = nlp.get_pipe(component)
            names.extend(pipe.labels)
    for name in names:
        fresh.vocab.strings.add(name)
    for _, pipe in fresh.pipeline:
        for node in pipe.model.walk():
            for parameter in node.param_names:
                if node.has_param(parameter):
                    node.set_param(parameter, node.get_param(parameter).astype(numpy.float16).astype(numpy.float32))
    return fresh


def pieces(trees: Any, number: int) -> Iterator[int]:
    """Hashes of the strings that an edit tree replaces and puts in their place."""
    if number < len(trees):  # a missing branch has the largest number there is
        tree = trees[number]
        yield from (piece for piece in (tree.get("orig"), tree.get("subst")) if piece)
        for branch in ("prefix_tree", "suffix_tree"):
            if branch in tree:
                yield from pieces(trees, tree[branch])
