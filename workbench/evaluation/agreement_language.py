"""A seeded grammar of small English sentences whose verbs agree with their subjects.

Patterns: a subject with none, one or two prepositional phrases, object and subject relatives, coordination, a fronted phrase, a
there-clause. A verb agrees with its subject in number and suits its noun. One in five pairs of nouns never stand together as subject and
attractor: they are kept for prompts that the model has not met (`is_held_out`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np

from workbench.evaluation.agreement_words import (
    ADJECTIVES,
    BE,
    CLASSES,
    END,
    HAVE,
    IDS,
    MARKED,
    NEUTRAL,
    NOUNS,
    PAST,
    PLURAL,
    PREPOSITIONS,
    SEE,
    SINGULAR,
    START,
    VERBS,
)

#: One in so many pairs of subject and attractor is kept out of the training language.
HELD_OUT = 5
#: Verbs that suit one noun, besides those that suit all.
OWN_VERBS = 2

Random: TypeAlias = np.random.Generator
Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun: its place among the nouns, its class, singular and plural."""

    index: int
    kind: str
    forms: tuple[str, str]


ALL_NOUNS = tuple(
    Noun(index, kind, forms) for index, (kind, forms) in enumerate((kind, forms) for kind in CLASSES for forms in NOUNS[kind])
)


def one(random: Random, things: Sequence[Thing]) -> Thing:
    """One of several things, all equally likely."""
    return things[int(random.integers(len(things)))]


def is_held_out(subject: Noun, other: Noun) -> bool:
    """Whether the two never stand together as subject and attractor in the training language."""
    return (2 * subject.index + 3 * other.index) % HELD_OUT == 0


def attractor(random: Random, subject: Noun, held_out: bool) -> Noun:
    """Another noun: one that is held out with this subject, or one that is not."""
    return one(random, [noun for noun in ALL_NOUNS if noun is not subject and is_held_out(subject, noun) == held_out])


def own_verbs(noun: Noun) -> tuple[tuple[str, str], ...]:
    """(singular, plural) of the verbs that suit this noun."""
    return tuple(VERBS[(4 * noun.index + place) % len(VERBS)] for place in range(OWN_VERBS))


def verbs(noun: Noun) -> tuple[tuple[str, str], ...]:
    """(singular, plural) of all verbs that this subject can have."""
    return (*own_verbs(noun), BE, HAVE, SEE)


def noun_phrase(random: Random, noun: Noun, number: int) -> list[str]:
    """A noun with a determiner that may show its number, and sometimes an adjective."""
    determiner = NEUTRAL if random.random() < 0.6 else one(random, MARKED)[number]
    described = [one(random, ADJECTIVES[noun.kind])] if random.random() < 0.25 else []
    return [determiner, *described, noun.forms[number]]


def some(random: Random) -> list[str]:
    """A noun phrase of any noun in any number."""
    return noun_phrase(random, one(random, ALL_NOUNS), int(random.integers(2)))


def predicate(random: Random, noun: Noun, number: int) -> list[str]:
    """What this subject is, has, sees or does."""
    chosen = random.random()
    often = ["often"] if random.random() < 0.15 else []
    if chosen < 0.3:
        modifier: list[str] = one(random, ([], ["not"], ["very"]))
        return [BE[number], *modifier, one(random, ADJECTIVES[noun.kind])]
    if chosen < 0.6:
        return [*often, (HAVE if chosen < 0.45 else SEE)[number], *some(random)]
    return [*often, one(random, own_verbs(noun))[number]]


def phrase(random: Random, noun: Noun) -> list[str]:
    """A preposition and a noun phrase whose noun may stand with this subject."""
    return [one(random, PREPOSITIONS), *noun_phrase(random, attractor(random, noun, False), int(random.integers(2)))]


def simple(random: Random) -> list[str]:
    """Subject and predicate, with none, one or two phrases between them."""
    noun, number = one(random, ALL_NOUNS), int(random.integers(2))
    between = [word for _ in range(int(random.integers(3))) for word in phrase(random, noun)]
    return [*noun_phrase(random, noun, number), *between, *predicate(random, noun, number)]


def relative(random: Random) -> list[str]:
    """A relative clause in the past tense, of the object or of the subject, between subject and verb."""
    noun, number = one(random, ALL_NOUNS), int(random.integers(2))
    other = noun_phrase(random, attractor(random, noun, False), int(random.integers(2)))
    past = [one(random, PAST)]
    clause = other + past if random.random() < 0.5 else past + other
    return [*noun_phrase(random, noun, number), "which", *clause, *predicate(random, noun, number)]


def coordination(random: Random) -> list[str]:
    """Two subjects of one class, in any number; the verb is plural and suits either."""
    kind = one(random, CLASSES)
    nouns = [one(random, [noun for noun in ALL_NOUNS if noun.kind == kind]) for _ in range(2)]
    first, second = (noun_phrase(random, noun, int(random.integers(2))) for noun in nouns)
    return [*first, "and", *second, *predicate(random, one(random, nouns), PLURAL)]


def fronted(random: Random) -> list[str]:
    """A phrase before the subject."""
    noun, number = one(random, ALL_NOUNS), int(random.integers(2))
    return [*phrase(random, noun), *noun_phrase(random, noun, number), *predicate(random, noun, number)]


def existence(random: Random) -> list[str]:
    """A verb that agrees with what follows it."""
    noun, number = one(random, ALL_NOUNS), int(random.integers(2))
    determiner = "a" if number == SINGULAR else one(random, ("two", "many"))
    return ["there", BE[number], determiner, noun.forms[number], *phrase(random, noun)]


PATTERNS: tuple[tuple[Callable[[Random], list[str]], float], ...] = (
    (simple, 0.45), (relative, 0.25), (coordination, 0.12), (fronted, 0.1), (existence, 0.08),
)  # fmt: skip


def sentence(random: Random) -> list[int]:
    """Token numbers of one sentence of the training language, from its start word to its full stop."""
    chosen = int(random.choice(len(PATTERNS), p=[share for _, share in PATTERNS]))
    return encoded([START, *PATTERNS[chosen][0](random), END])


def encoded(words: Sequence[str]) -> list[int]:
    """Token numbers of words."""
    return [IDS[word] for word in words]
