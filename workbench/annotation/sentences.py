"""Sentence numbers where no pipeline gives any: by danda, question mark, exclamation mark and full stop."""

from __future__ import annotations

from collections.abc import Sequence

_ENDS = frozenset("।॥৷|?!.؟。！？")
_CLOSES = frozenset("\"'”’»)]}")


def number_sentences(forms: Sequence[str], spans: Sequence[tuple[int, int]]) -> list[int]:
    """The sentence of each word, counted from 0.

    A sentence ends with a word made of end signs alone (a lone full stop, but not the three of an ellipsis) and the closing quotes and
    brackets that touch it.
    """
    numbers: list[int] = []
    sentence, ended, end = 0, False, 0
    for form, (start, stop) in zip(forms, spans, strict=True):
        closing = ended and start == end and set(form) <= _CLOSES
        if ended and not closing and not _ends(form):
            sentence, ended = sentence + 1, False
        numbers.append(sentence)
        ended = ended or _ends(form)
        end = stop
    return numbers


def _ends(form: str) -> bool:
    return set(form) <= _ENDS and (set(form) != {"."} or len(form) == 1)
