"""Does a model's answer hang on some words of its texts? They are edited, and so are as many others; the answers are compared.

1. Edits: the words are masked (the tokenizer's uninformative token in their place), deleted, swapped for another word, moved to another
   part of their text, or some of them are cut or repeated until the text is nearer to another length (`workbench.evaluation.arrangement`).
2. Matched random edits: in the same text as many other words, of about as many tokens, are edited in the same way; the mean over draws.
   For length the same words are lost and others repeated while the length stays. What is drawn in the edit itself is drawn as often.
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
from workbench.evaluation.arrangement import arranged, cut, lengths, moved
from workbench.evaluation.intervals import mean_interval
from workbench.evaluation.predictions import Remainders
from workbench.evaluation.removal import Kept, Text

Edit: TypeAlias = Literal["mask", "delete", "swap", "move", "length"]
EDITS: tuple[Edit, ...] = get_args(Edit)
DRAWS = 10
#: Why no text could be edited, and what to do, where it is not that other words lack.
NO_TEXT = {
    "move": ("no text of {} with room to move these words a fifth of the text away", "choose fewer words a text, or longer texts"),
    "length": ("no text of {} of another length with two words that may go", "choose more words a text, or another number of words"),
}

#: From a text as written and spans with what stands in their place to the same text as the model's members encode it.
Rewrite: TypeAlias = Callable[[str, Sequence[tuple[int, int, str]]], Text]
Progress: TypeAlias = Callable[[int, int], None]
Request: TypeAlias = tuple[Text, Kept]


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

    `frame` has a row for each text: identifier, edited (words), before, after and random (probabilities of the class), effect, flipped
    and random_flipped (shares of draws); for the edit `length` words_before and words_after stand in the place of edited.
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
    words: int | None = None,
    rewrite: Rewrite | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    progress: Progress = lambda *_: None,
) -> Counterfactual:
    """Edits the chosen words of every text and, for comparison, `draws` times as many other words of about as many tokens.

    `remainders` holds replacements for the edit `mask` and none for all others; `swap` needs the word to put in and `rewrite`, `length` the
    number of `words` to come near to. Texts in which nothing else could be edited are left out. Raises InputError where no text is left.
    """
    if edit not in EDITS:
        raise InputError("edit texts", f"the edit {edit!r}", f"choose one of {', '.join(EDITS)}")
    if edit == "swap" and (swap is None or rewrite is None):
        raise InputError("swap words", "no word to put in", "name one: --swap WORD")
    if edit == "length" and (words is None or words < 1):
        raise InputError("change the length of texts", "no number of words to come near to", "name one: --words 12")
    for name, given, meant in (("--swap", swap, "swap"), ("--words", words, "length")):
        if given is not None and edit != meant:
            raise InputError("edit texts", f"{name} with --edit {edit}", f"leave {name} out, or say --edit {meant}")
    random = np.random.default_rng(seed)
    rows = []
    for place, case in enumerate(cases):
        made = edits(case, edit, draws, random, swap, words, rewrite) if case.chosen else None
        progress(place + 1, len(cases))
        if made is None:
            continue
        edited, controls = made
        scores = remainders.rows([(case.text, case.text.everything), *edited, *controls])
        remainders.forget()
        rows.append(row(case, scores, len(edited), words if edit == "length" else None))
    if not rows:
        found, remedy = NO_TEXT.get(edit, ("no text of {} with as many other words to compare with", "choose rarer words"))
        raise InputError("edit texts", found.format(f"{len(cases):,}"), remedy)
    frame = pl.DataFrame(rows)
    low, high = mean_interval(frame["effect"].to_numpy(), seed)
    means = {name: float(frame[name].to_numpy().mean()) for name in ("effect", "before", "after", "random", "flipped", "random_flipped")}
    return Counterfactual(
        frame, edit, means["effect"], low, high, means["before"] - means["after"], means["before"] - means["random"], means["flipped"],
        means["random_flipped"],
    )  # fmt: skip


def edits(
    case: Case, edit: Edit, draws: int, random: np.random.Generator, swap: str | None, words: int | None, rewrite: Rewrite | None
) -> tuple[list[Request], list[Request]] | None:
    """The edited text (as often as something is drawn in it) and the matched random edits; None where there is no room for them."""
    if edit in ("move", "length"):
        drawn = []
        for _ in range(draws):
            count = len(case.text.words)
            made = moved(count, case.chosen, random) if edit == "move" else lengths(sizes(case.text), case.chosen, words or count, random)
            if made is None:
                return None
            drawn.append([(text, text.everything) for text in (arranged(case.text, order) for order in made)])
        return [one for one, _ in drawn], [other for _, other in drawn]
    controls = [matched(case, random) for _ in range(draws)]
    if not all(controls):
        return None
    if edit == "swap":
        assert swap is not None
        assert rewrite is not None
        requests = [(text, text.everything) for text in (swapped(case, chosen, swap, rewrite) for chosen in (case.chosen, *controls))]
    else:
        requests = [(case.text, case.text.everything & ~sum(1 << word for word in chosen)) for chosen in (case.chosen, *controls)]
    return requests[:1], requests[1:]


def row(case: Case, scores: NDArray[np.floating], edited: int, words: int | None = None) -> dict[str, object]:
    """One text: scores are of the text itself, of so many edits, and of the matched random edits; `words` is the length wanted."""
    answers = scores.argmax(1)
    own = scores[:, answers[0] if case.label is None else case.label].astype(np.float64)
    after, random, other = own[1 : 1 + edited].mean(), own[1 + edited :].mean(), answers != answers[0]
    said: dict[str, object] = {"edited": " ".join(case.text.words[place].form for place in case.chosen)}
    if words is not None:
        whole = len(case.text.words)
        count = cut(whole, len(case.chosen), words)
        said = {"words_before": whole, "words_after": whole - count if words < whole else whole + count}
    return {
        "identifier": case.identifier, "before": float(own[0]), "after": float(after), "random": float(random),
        "effect": float(random - after), "flipped": float(other[1 : 1 + edited].mean()),
        "random_flipped": float(other[1 + edited :].mean()), **said,
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
