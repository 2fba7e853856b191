"""Does a model's answer hang on some words of its texts? They are edited, and so are as many others; the answers are compared.

1. Edits: the words are masked (the tokenizer's uninformative token in their place), deleted, or swapped for another word.
2. Matched random edits: in the same text as many other words, of about as many tokens, are edited in the same way; the mean over draws.
3. effect = fall of the probability of the class by the edit, minus its fall by the matched random edits of the same text; mean over texts
   with its bootstrap interval (BCa). Flips are answers that are another class after the edit.

An edited text may be odd to the model, which is why the random edits stand beside: they are as odd.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from workbench.document import Word
from workbench.errors import InputError
from workbench.evaluation.intervals import mean_interval
from workbench.evaluation.predictions import Remainders
from workbench.evaluation.removal import Text

Edit: TypeAlias = Literal["mask", "delete", "swap"]
EDITS: tuple[Edit, ...] = get_args(Edit)
DRAWS = 10

#: From a text as written and spans with what stands in their place to the same text as the model's members encode it.
Rewrite: TypeAlias = Callable[[str, Sequence[tuple[int, int, str]]], Text]
Progress: TypeAlias = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Case:
    """A text with the places (in `text.words`) of the words to edit, and the number of the class whose probability is asked.

    None asks for the model's own answer.
    """

    identifier: str
    written: str
    text: Text
    chosen: tuple[int, ...]
    label: int | None


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """What the edits do: `effect` with its 95 % interval, `fall` and `random_fall` its two parts, and the shares of answers that flip.

    `frame` has a row for each text: identifier, edited (words), before, after and random (probabilities of the class), effect, flipped,
    random_flipped (share of draws).
    """

    frame: pl.DataFrame
    edit: Edit
    effect: float
    low: float
    high: float
    fall: float
    random_fall: float
    flipped: float
    random_flipped: float

    @property
    def relied_on(self) -> bool:
        """Whether the words matter more than matched random ones: the interval of the effect lies above zero."""
        return self.low > 0


def counterfactual(
    remainders: Remainders,
    cases: Sequence[Case],
    edit: Edit = "mask",
    *,
    swap: str | None = None,
    rewrite: Rewrite | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    progress: Progress = lambda *_: None,
) -> Counterfactual:
    """Edits the chosen words of every text and, for comparison, `draws` times as many other words of about as many tokens.

    `remainders` holds replacements for the edit `mask` and none for `delete`; `swap` needs the word to put in and `rewrite`. Texts in which
    nothing else could be edited are left out. Raises InputError where no text is left.
    """
    if edit not in EDITS:
        raise InputError("edit texts", f"the edit {edit!r}", f"choose one of {', '.join(EDITS)}")
    if edit == "swap" and (swap is None or rewrite is None):
        raise InputError("swap words", "no word to put in", "name one: --swap WORD")
    random = np.random.default_rng(seed)
    rows = []
    for place, case in enumerate(cases):
        controls = [matched(case, random) for _ in range(draws)]
        if not case.chosen or not all(controls):
            continue
        edited = [(), case.chosen, *controls]
        if edit == "swap":
            assert swap is not None
            assert rewrite is not None
            requests = [(text, text.everything) for text in (swapped(case, words, swap, rewrite) for words in edited)]
        else:
            requests = [(case.text, case.text.everything & ~sum(1 << word for word in words)) for words in edited]
        scores = remainders.rows(requests)
        remainders.forget()
        rows.append(row(case, scores))
        progress(place + 1, len(cases))
    if not rows:
        raise InputError("edit texts", f"no text of {len(cases):,} with as many other words to compare with", "choose rarer words")
    frame = pl.DataFrame(rows)
    low, high = mean_interval(frame["effect"].to_numpy(), seed)
    means = {name: float(frame[name].to_numpy().mean()) for name in ("effect", "before", "after", "random", "flipped", "random_flipped")}
    return Counterfactual(
        frame, edit, means["effect"], low, high, means["before"] - means["after"], means["before"] - means["random"], means["flipped"],
        means["random_flipped"],
    )  # fmt: skip


def row(case: Case, scores: NDArray[np.floating]) -> dict[str, object]:
    """One text: scores are of the text itself, of the edit, and of the matched random edits."""
    answers = scores.argmax(1)
    own = scores[:, answers[0] if case.label is None else case.label].astype(np.float64)
    return {
        "identifier": case.identifier, "edited": " ".join(case.text.words[place].form for place in case.chosen), "before": float(own[0]),
        "after": float(own[1]), "random": float(own[2:].mean()), "effect": float(own[2:].mean() - own[1]),
        "flipped": bool(answers[1] != answers[0]), "random_flipped": float((answers[2:] != answers[0]).mean()),
    }  # fmt: skip


def sizes(text: Text) -> NDArray[np.int64]:
    """Tokens of each word, in the member that cuts it finest."""
    counts = [np.bincount([owner for owner in member if owner >= 0], minlength=len(text.words)) for member in text.owners]
    found: NDArray[np.int64] = np.max(counts, axis=0)
    return found


def matched(case: Case, random: np.random.Generator) -> tuple[int, ...]:
    """As many other words, each of a number of tokens as near as there is; none where there are too few."""
    tokens, free = sizes(case.text), [place for place in range(len(case.text.words)) if place not in set(case.chosen)]
    found: list[int] = []
    for place in case.chosen:
        left = [other for other in free if other not in found]
        if not left:
            return ()
        distance = np.abs(tokens[left] - tokens[place])
        nearest = np.flatnonzero(distance == distance.min())
        found.append(left[int(random.choice(nearest))])
    return tuple(found)


def swapped(case: Case, words: Sequence[int], swap: str, rewrite: Rewrite) -> Text:
    """The text with another word in place of some."""
    spans: list[Word] = [case.text.words[place] for place in sorted(words)]
    return rewrite(case.written, [(word.char_start, word.char_end, swap) for word in spans])
