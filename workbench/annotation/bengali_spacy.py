"""The Bengali tokenizer as spaCy has it: `@tokenizers = "workbench.bengali.v1"` in a pipeline's config.

It also tells spaCy what it may learn from a Bengali word: prefix, suffix and shape are taken from the norm, so that a nukta's encoding or a
joiner does not make another word, and are long enough for a consonant with its signs.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from spacy.attrs import LIKE_NUM, LOWER, NORM, PREFIX, SHAPE, SUFFIX  # type: ignore[import-not-found]
from spacy.lang.lex_attrs import word_shape
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import registry
from spacy.vocab import Vocab

from workbench.annotation import bengali

PREFIX_LENGTH = 3
SUFFIX_LENGTH = 4

_CARDINALS = (
    "শূন্য এক দুই দু তিন চার পাঁচ ছয় ছ সাত আট নয় দশ এগারো বারো তেরো চৌদ্দ পনেরো ষোলো সতেরো আঠারো উনিশ "
    "কুড়ি বিশ একুশ পঁচিশ ত্রিশ তিরিশ চল্লিশ পঞ্চাশ ষাট সত্তর আশি নব্বই শত হাজার লক্ষ লাখ কোটি"
)
_NUMERALS = frozenset(bengali.norm(numeral) for numeral in _CARDINALS.split())


def like_number(form: str) -> bool:
    """Whether a form begins with a digit of any script (২৫, ২৫শে, 12.5) or is a Bengali cardinal numeral."""
    return form[:1].isdigit() or bengali.norm(form) in _NUMERALS


class BengaliTokenizer:
    """Text to a spaCy `Doc` by `bengali.spans`; the Doc's text is the text given, to the last white space."""

    def __init__(self, vocab: Vocab) -> None:
        self.vocab = vocab
        vocab.lex_attr_getters |= {  # type: ignore[attr-defined]
            NORM: bengali.norm,
            LOWER: bengali.norm,
            PREFIX: lambda form: bengali.norm(form)[:PREFIX_LENGTH],
            SUFFIX: lambda form: bengali.norm(form)[-SUFFIX_LENGTH:],
            SHAPE: lambda form: word_shape(bengali.norm(form)),
            LIKE_NUM: like_number,
        }

    def __call__(self, text: str) -> Doc:
        """Tokenize one text; white space other than one blank between words is a token, as everywhere in spaCy."""
        words: list[str] = []
        spaces: list[bool] = []
        end = 0
        for start, stop in bengali.spans(text):
            _space_out(text[end:start], words, spaces)
            words.append(text[start:stop])
            spaces.append(False)
            end = stop
        _space_out(text[end:], words, spaces)
        return Doc(self.vocab, words=words, spaces=spaces)

    def to_bytes(self, **_: Any) -> bytes:
        """The rules are code, named by version in the config: there is nothing to store."""
        return b""

    def from_bytes(self, _data: bytes, **_: Any) -> BengaliTokenizer:
        """Nothing to restore."""
        return self

    def to_disk(self, _path: Path | str, **_: Any) -> None:
        """Nothing to store."""

    def from_disk(self, _path: Path | str, **_: Any) -> BengaliTokenizer:
        """Nothing to restore."""
        return self


def _space_out(gap: str, words: list[str], spaces: list[bool]) -> None:
    """Add the white space before a word: the first blank belongs to the word before it, the rest is a token."""
    if gap.startswith(" ") and words:
        spaces[-1] = True
        gap = gap[1:]
    if gap:
        words.append(gap)
        spaces.append(False)


@registry.tokenizers("workbench.bengali.v1")  # type: ignore[untyped-decorator]
def create_bengali_tokenizer() -> Callable[[Language], BengaliTokenizer]:
    """Factory of the Bengali tokenizer, as a spaCy config names it."""

    def create(nlp: Language) -> BengaliTokenizer:
        return BengaliTokenizer(nlp.vocab)

    return create
