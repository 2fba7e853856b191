"""A translation task whose alignment is known: a small lexicon with swaps, and function words that the source has no part in.

A source is a row of phrases, each a noun or an adjective and a noun, and its end. The target has for each phrase the noun's translation,
then the adjective's (swapped, as in French), then a function word that depends on the preceding target token alone. So every content
token is determined by one source token, and every function word by the prefix.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PAD, END = 0, 1
NOUNS, ADJECTIVES, FUNCTIONS = 60, 30, 12
CONTENT = NOUNS + ADJECTIVES
SOURCE, TARGET = 2, 2 + CONTENT
FUNCTION = TARGET + CONTENT
SIZE = FUNCTION + FUNCTIONS


@dataclass(frozen=True, slots=True)
class Example:
    """Token identifiers of source and target, both with their end, and for each target token its source token (None: the prefix)."""

    source: tuple[int, ...]
    target: tuple[int, ...]
    aligned: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Translations of the content words, and the function word that follows each of them."""

    translation: tuple[int, ...]
    function: tuple[int, ...]


def lexicon(seed: int) -> Lexicon:
    """A lexicon drawn by a seed: a permutation of nouns, one of adjectives, and a function word for each translation."""
    random = np.random.default_rng([seed, 1])
    nouns, adjectives = random.permutation(NOUNS), random.permutation(ADJECTIVES) + NOUNS
    functions = random.integers(FUNCTIONS, size=CONTENT)
    return Lexicon(tuple(TARGET + int(word) for word in (*nouns, *adjectives)), tuple(FUNCTION + int(word) for word in functions))


def examples(words: Lexicon, count: int, random: np.random.Generator, phrases: tuple[int, int] = (3, 7)) -> list[Example]:
    """Sentences of between `phrases` phrases, half of which have an adjective."""
    return [example(words, int(random.integers(phrases[0], phrases[1] + 1)), random) for _ in range(count)]


def example(words: Lexicon, phrases: int, random: np.random.Generator) -> Example:
    """One sentence."""
    source: list[int] = []
    target: list[int] = []
    aligned: list[int | None] = []
    for _ in range(phrases):
        noun = int(random.integers(NOUNS))
        content = [noun]
        if random.random() < 0.5:
            content = [NOUNS + int(random.integers(ADJECTIVES)), noun]
        begun = len(source)
        source += [SOURCE + word for word in content]
        for place in reversed(range(len(content))):
            target.append(words.translation[content[place]])
            aligned.append(begun + place)
        target.append(words.function[target[-1] - TARGET])
        aligned.append(None)
    return Example((*source, END), (*target, END), (*aligned, None))


def is_function(token: int) -> bool:
    """Whether a target token is a function word."""
    return token >= FUNCTION
