"""Subject-verb agreement with attractors: pairs of prompts that differ in the number of the subject alone.

Clean "<s> the keys near the cabinet" (then "are"), corrupted "<s> the key near the cabinet" (then "is"). Nothing but the subject shows its
number, the number of the attractor is free; both prompts have one length. The task is that of Linzen et al. 2016 ("Assessing the ability of
LSTMs to learn syntax-sensitive dependencies"); words and sentences are our own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias, get_args

import numpy as np

from workbench.errors import InputError
from workbench.evaluation.agreement_language import ALL_NOUNS, Noun, Random, attractor, encoded, one, verbs
from workbench.evaluation.agreement_words import ADJECTIVES, NEUTRAL, PAST, PREPOSITIONS, START, VOCABULARY
from workbench.evaluation.pairs import Pair

Structure: TypeAlias = Literal["phrase", "described", "two_phrases", "object_relative", "subject_relative"]
STRUCTURES: tuple[Structure, ...] = get_args(Structure)


def phrase(random: Random, noun: Noun, held_out: bool) -> list[str]:
    """Words like `near the cabinet`."""
    return [one(random, PREPOSITIONS), NEUTRAL, one(random, attractor(random, noun, held_out).forms)]


def described(random: Random, noun: Noun, held_out: bool) -> list[str]:
    """Words like `near the empty cabinet`."""
    other = attractor(random, noun, held_out)
    return [one(random, PREPOSITIONS), NEUTRAL, one(random, ADJECTIVES[other.kind]), one(random, other.forms)]


def two_phrases(random: Random, noun: Noun, held_out: bool) -> list[str]:
    """Words like `near the cabinet behind the windows`."""
    return phrase(random, noun, held_out) + phrase(random, noun, held_out)


def object_relative(random: Random, noun: Noun, held_out: bool) -> list[str]:
    """Words like `which the sailors found`."""
    return ["which", NEUTRAL, one(random, attractor(random, noun, held_out).forms), one(random, PAST)]


def subject_relative(random: Random, noun: Noun, held_out: bool) -> list[str]:
    """Words like `which touched the sailors`."""
    return ["which", one(random, PAST), NEUTRAL, one(random, attractor(random, noun, held_out).forms)]


BETWEEN: dict[Structure, Callable[[Random, Noun, bool], list[str]]] = {
    "phrase": phrase, "described": described, "two_phrases": two_phrases,
    "object_relative": object_relative, "subject_relative": subject_relative,
}  # fmt: skip


def agreement_pair(structure: Structure, random: Random, *, held_out: bool = True) -> Pair:
    """One pair, of nouns that the training language keeps apart (`held_out`) or of those that it puts together."""
    noun, number = one(random, ALL_NOUNS), int(random.integers(2))
    between = BETWEEN[structure](random, noun, held_out)
    answers = one(random, verbs(noun))
    before = [NEUTRAL, one(random, ADJECTIVES[noun.kind])] if structure == "described" else [NEUTRAL]
    clean, corrupted = (encoded([START, *before, noun.forms[shown], *between]) for shown in (number, 1 - number))
    clean_answer, corrupted_answer = encoded([answers[number], answers[1 - number]])
    return Pair(tuple(clean), tuple(corrupted), clean_answer, corrupted_answer, structure)


def agreement_pairs(count: int, seed: int = 0, structures: Sequence[Structure] = STRUCTURES, *, held_out: bool = True) -> list[Pair]:
    """`count` different pairs, the structures in turn; the same seed, the same pairs.

    Raises InputError for no pair or an unknown structure.
    """
    if count < 1 or not structures or not set(structures) <= set(STRUCTURES):
        raise InputError(
            f"draw {count} pairs of {', '.join(structures) or 'no structure'}",
            f"structures {', '.join(STRUCTURES)}",
            "ask for one pair at least",
        )
    random = np.random.default_rng([seed, 1])
    found: dict[Pair, None] = {}
    while len(found) < count:
        found[agreement_pair(structures[len(found) % len(structures)], random, held_out=held_out)] = None
    return list(found)


def readable(pair: Pair) -> str:
    """Both prompts with their answers, as words."""
    clean, corrupted = (" ".join(VOCABULARY[word] for word in prompt) for prompt in (pair.clean, pair.corrupted))
    return f"{clean} [{VOCABULARY[pair.clean_answer]}] | {corrupted} [{VOCABULARY[pair.corrupted_answer]}]"
