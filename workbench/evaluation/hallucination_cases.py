"""Pseudo-hallucinations of a translation model: translations that are known to have left their source, beside its own.

* wrong source: the model's own translation of one sentence, given to it under the source of another of about the same length.
* random prefix: the first tokens of another sentence's translation, which the model goes on from (Voita, Sennrich and Titov 2021). The
  whole is judged: its beginning has nothing to do with the source.
* behind a random prefix: of the same, only what the model adds, beside the same steps of its own translation. It may well return to
  the source; `kept` says how far.
* inserted token: a token set in front of the source three times changes the whole translation (Lee et al. 2018). Of some random tokens the
  one that changes it most counts, where it leaves less than half of it, by chrF.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from sacrebleu.metrics.chrf import CHRF

from workbench.encoding import Encoding
from workbench.models.translation import Translator, continued, generate

CONDITIONS = WRONG_SOURCE, RANDOM_PREFIX, BEHIND_PREFIX, INSERTED_TOKEN = (
    "wrong source", "random prefix", "behind a random prefix", "inserted token",
)  # fmt: skip
#: Tokens of a random prefix.
PREFIX = 4
#: Tokens tried in front of a source, how often each stands there, and the chrF to the undisturbed translation below which it counts.
TRIED, TIMES, LEFT = 8, 3, 50.0


@dataclass(frozen=True, slots=True)
class Case:
    """A source and a translation of which the tokens from `first` on are judged; `sentence` says whose it is."""

    sentence: int
    source_text: str
    source: tuple[int, ...]
    special: tuple[bool, ...]
    target: tuple[int, ...]
    first: int = 0


@dataclass(frozen=True, slots=True)
class Compared:
    """Cases of one condition, each beside the model's own translation of the same sentence, and from how many they were made.

    `kept` is the mean chrF of what is judged to what the model itself makes of the source.
    """

    condition: str
    own: list[Case]
    left: list[Case]
    tried: int
    kept: float


def compared(translator: Translator, texts: Sequence[str], sources: Sequence[Encoding], seed: int, beams: int = 4) -> list[Compared]:
    """All conditions over these sentences."""
    made = generate(translator, sources, beams)
    own = [Case(place, text, one.ids, one.special, target)
           for place, (text, one, target) in enumerate(zip(texts, sources, made, strict=True))]  # fmt: skip
    own = [case for case in own if len(case.target) > 1]
    return [wrong_source(translator, own), *random_prefix(translator, own, seed, beams), inserted_token(translator, own, seed, beams)]


def judged(translator: Translator, case: Case) -> str:
    """The text of what is judged."""
    return str(translator.tokenizer.decode(list(case.target[case.first :]), skip_special_tokens=True))


def overlap(translator: Translator, cases: Sequence[Case], others: Sequence[Case]) -> list[float]:
    """What is judged against the other translation, by chrF."""
    chrf = CHRF()
    return [float(chrf.sentence_score(judged(translator, case), [judged(translator, other)]).score)
            for case, other in zip(cases, others, strict=True)]  # fmt: skip


def neighbours(cases: Sequence[Case]) -> list[tuple[Case, Case]]:
    """Each case with the next longer one of another translation, so that lengths say nothing; the longest with the next shorter one."""
    ordered = sorted(cases, key=lambda case: (len(case.target), case.sentence))
    pairs = []
    for place, case in enumerate(ordered):
        others = (*ordered[place + 1 :], *reversed(ordered[:place]))
        other = next((one for one in others if one.target != case.target and one.source != case.source), None)
        if other is not None:
            pairs.append((case, other))
    return sorted(pairs, key=lambda pair: pair[0].sentence)


def wrong_source(translator: Translator, own: Sequence[Case]) -> Compared:
    """Own translations under their own source, and under that of a neighbour."""
    pairs = neighbours(own)
    left = [replace(other, sentence=case.sentence, target=case.target) for case, other in pairs]
    return Compared(WRONG_SOURCE, [case for case, _ in pairs], left, len(own), mean(overlap(translator, left, [two for _, two in pairs])))


def random_prefix(translator: Translator, own: Sequence[Case], seed: int, beams: int) -> list[Compared]:
    """Translations that go on from the beginning of another sentence's: the whole of them, and what stands behind it."""
    able = [case for case in own if len(case.target) > PREFIX]
    order = np.random.default_rng([seed, 1]).permutation(len(able))
    begun = [able[place].target[:PREFIX] for place in order]
    pairs = [(case, beginning) for case, beginning in zip(able, begun, strict=True) if beginning != case.target[:PREFIX]]
    found = continued(translator, [case.source for case, _ in pairs], [beginning for _, beginning in pairs], beams)
    went_on = [(case, replace(case, target=target)) for (case, _), target in zip(pairs, found, strict=True) if len(target) > PREFIX]
    answers = []
    for condition, first in ((RANDOM_PREFIX, 0), (BEHIND_PREFIX, PREFIX)):
        mine, left = ([replace(pair[side], first=first) for pair in went_on] for side in (0, 1))
        answers.append(Compared(condition, mine, left, len(able), mean(overlap(translator, left, mine))))
    return answers


def inserted_token(translator: Translator, own: Sequence[Case], seed: int, beams: int) -> Compared:
    """Translations that a token in front of the source has changed beyond recognition."""
    random = np.random.default_rng([seed, 2])
    special = set(translator.tokenizer.all_special_ids)
    pieces = np.array([number for number in range(len(translator.tokenizer)) if number not in special])
    room = [case for case in own if len(case.source) + TIMES <= translator.window]
    tokens = random.choice(pieces, (len(room), TRIED))
    disturbed = [replace(case, source=(int(token),) * TIMES + case.source, special=(False,) * TIMES + case.special)
                 for case, row in zip(room, tokens, strict=True) for token in row]  # fmt: skip
    found = generate(translator, [bare(case.source) for case in disturbed], beams)
    disturbed = [replace(case, target=target) for case, target in zip(disturbed, found, strict=True)]
    kept = np.array(overlap(translator, disturbed, [case for case in room for _ in range(TRIED)])).reshape(len(room), TRIED)
    worst = [(case, disturbed[place * TRIED + int(row.argmin())], float(row.min()))
             for place, (case, row) in enumerate(zip(room, kept, strict=True))]  # fmt: skip
    gone = [(case, other, score) for case, other, score in worst if score < LEFT and len(other.target) > 1]
    scores = [score for _, _, score in gone]
    return Compared(INSERTED_TOKEN, [case for case, _, _ in gone], [other for _, other, _ in gone], len(room), mean(scores))


def mean(values: Sequence[float]) -> float:
    """Their mean, NaN for none."""
    return float(np.mean(values)) if values else float("nan")


def bare(ids: tuple[int, ...]) -> Encoding:
    """Token identifiers alone, as `generate` takes them."""
    return Encoding(ids, ("",) * len(ids), ((0, 0),) * len(ids), (False,) * len(ids))
