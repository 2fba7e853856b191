"""What matches two words: the same form, the same lemma, a translation, or nothing that a dictionary knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set

from workbench.document import Word

#: Pairs of casefolded words that are translations, from the first language to the second.
Translations = Callable[[str, str], Set[tuple[str, str]]]


def matched(left: Sequence[Word], right: Sequence[Word], known: Set[tuple[str, str]]) -> list[list[str]]:
    """`identical`, `lemma`, `translation` or `other` for each word of the first text with each of the second."""
    ours, theirs = [names(word) for word in left], [names(word) for word in right]
    return [[match(one, other, known) for other in theirs] for one in ours]


def match(one: tuple[str, str], other: tuple[str, str], known: Set[tuple[str, str]]) -> str:
    """What matches two words, given by form and lemma."""
    if one[0] == other[0]:
        return "identical"
    if one[1] == other[1]:
        return "lemma"
    return "translation" if any((a, b) in known for a in one for b in other) else "other"


def names(word: Word) -> tuple[str, str]:
    """A word's form and lemma, without case; the form where there is no lemma."""
    form = word.form.casefold()
    return form, (word.lemma or form).casefold()
