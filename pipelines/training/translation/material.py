"""What a recipe learns from: its tokenizer, its pairs as token identifiers, the rounds of training, and what is held out to watch it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from transformers import PreTrainedTokenizerFast

from pipelines.training.translation import pairs, subwords
from pipelines.training.translation.batches import Ids, grouped
from pipelines.training.translation.pairs import Pair
from pipelines.training.translation.recipes import Recipe

WATCHED = 200
"""Sentences translated now and then to watch the training."""
VALIDATION, TEST = (0.95, 0.97), (0.97, 1.0)
"""Parts of a collection, by the fixed number of a pair, that are held out where there is no published division."""
CAPTIONS = ("val", "test_2016_flickr", "test_2017_flickr", "test_2017_mscoco", "test_2018_flickr")


def divided(recipe: Recipe) -> bool:
    """Whether the recipe's text comes with a published division (the captions do)."""
    return "multi30k" in recipe.every


def parallel(recipe: Recipe, mirror: Path) -> dict[str, list[Pair]]:
    """All pairs that may be learnt from, by collection, English second; what is held out is not among them."""
    if divided(recipe):
        held = {pairs.clean(side).lower() for part in CAPTIONS for pair in pairs.multi30k(mirror, part) for side in pair}
        return {name: pairs.collect(mirror, name, held) for name in recipe.every}
    return {name: [pair for pair in pairs.collect(mirror, name, set()) if pairs.fraction(pair) < VALIDATION[0]] for name in recipe.every}


def held_out(recipe: Recipe, mirror: Path, part: tuple[float, float] = VALIDATION) -> list[Pair]:
    """Pairs to watch or to test with, in the recipe's direction: the captions' validation part, or our part of the other collections."""
    if divided(recipe):
        found = [(pairs.clean(one), pairs.clean(other)) for one, other in pairs.multi30k(mirror, "val")]
    else:
        every = (pair for name in recipe.every for pair in pairs.collect(mirror, name, set()))
        found = [pair for pair in every if part[0] <= pairs.fraction(pair) < part[1]]
    return directed(recipe, found)


def directed(recipe: Recipe, found: list[Pair]) -> list[Pair]:
    """Pairs with the recipe's source first."""
    return [(other, one) for one, other in found] if recipe.source == "en" else found


def tokenizer_of(recipe: Recipe, found: dict[str, list[Pair]], out: Path) -> PreTrainedTokenizerFast:
    """The recipe's tokenizer from `out`, learnt now if it is not there."""
    folder = out / f"tokenizer-{recipe.tokenizer}"
    if not folder.is_dir():
        texts = (side for collected in found.values() for pair in collected for side in pair)
        subwords.trained(texts, recipe.vocabulary, recipe.lowercase).save_pretrained(folder)
    return PreTrainedTokenizerFast.from_pretrained(folder)


def identified(tokenizer: PreTrainedTokenizerFast, found: list[Pair]) -> list[Ids]:
    """Token identifiers of pairs."""
    sources, targets = (subwords.ids(tokenizer, [pair[side] for pair in found]) for side in (0, 1))
    return list(zip(sources, targets, strict=True))


def round_of(recipe: Recipe, collected: dict[str, list[Ids]], synthetic: dict[str, list[Ids]], number: int) -> Iterator[list[Ids]]:
    """The batches of a round; the same ones whenever they are asked for, so that training can go on in the middle of a round."""
    due = recipe.repeats * chosen(recipe, collected, number) + chosen(recipe, synthetic, number)
    chance = np.random.default_rng([recipe.seed, number])
    for indices in grouped(due, recipe.batch_tokens, chance):
        yield [due[index] for index in indices]


def chosen(recipe: Recipe, collected: dict[str, list[Ids]], number: int) -> list[Ids]:
    """The pairs that are due in a round."""
    return [pair for name, found in collected.items() for pair in found[number % recipe.every[name] :: recipe.every[name]]]
