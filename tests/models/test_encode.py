"""Tokens with spans in the untouched text, and what a tokenizer drops on the way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from tests.pipeline import tiny
from workbench.errors import InputError
from workbench.models.encode import TokenizerLoss, encode
from workbench.models.encode import tokenizer_losses as losses_of

WORDS = tiny.tokenizer("words")


def tokenizer_losses(tokenizer: PreTrainedTokenizerFast, text: str) -> list[TokenizerLoss]:
    """What the tokenizer loses of a text that it sees whole."""
    return losses_of(tokenizer, text, encode(tokenizer, text, 64))


PROBES = ("মহারানী", "বাচ্চা", "সংগঠন", "শুয়োরের", "কুকুর", "স্ত্রী")


def bert(**options: bool) -> PreTrainedTokenizerFast:
    """A tokenizer with BERT's normalizer."""
    made = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(**options)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return PreTrainedTokenizerFast(tokenizer_object=made, unk_token="[UNK]")


@pytest.mark.parametrize("word", ["বাচ্চা", "শুয়োরের", "কুকুর", "স্ত্রী"])
def test_a_lower_casing_bert_normalizer_is_caught_dropping_bengali_marks(word: str) -> None:
    kinds = {loss.kind: loss for loss in tokenizer_losses(bert(lowercase=True), f"সে {word} কে")}
    assert kinds["combining marks"].count >= 1
    assert kinds["combining marks"].example == word


@pytest.mark.parametrize("word", PROBES)
def test_a_normalizer_that_strips_no_accents_loses_no_mark(word: str) -> None:
    assert "combining marks" not in {loss.kind for loss in tokenizer_losses(bert(lowercase=True, strip_accents=False), word)}
    assert "combining marks" not in {loss.kind for loss in tokenizer_losses(WORDS, word)}


def test_dropped_joiners_and_unknown_tokens_are_counted() -> None:
    losses = {loss.kind: loss.count for loss in tokenizer_losses(bert(lowercase=False), "র\u200d্যাব আর র\u200d্যাংক")}
    assert losses["joiners"] == 2
    assert {loss.kind: loss.count for loss in tokenizer_losses(WORDS, "তুমি অচেনা")} == {"unknown tokens": 1}


def test_both_nukta_encodings_are_one_and_lose_nothing() -> None:
    decomposed, precomposed = "ন\u09af\u09bc", "ন\u09df"
    assert encode(WORDS, decomposed, 8).ids == encode(WORDS, precomposed, 8).ids
    assert encode(WORDS, precomposed, 8).spans[1] == (0, 2)
    assert tokenizer_losses(WORDS, precomposed) == tokenizer_losses(WORDS, decomposed) == []


def test_a_cut_text_shows_in_the_coverage() -> None:
    whole = encode(WORDS, "তুমি চোর নেতা", 64)
    cut = encode(WORDS, "তুমি চোর নেতা", 4)
    assert (len(whole), whole.coverage) == (5, 1.0)
    assert len(cut) == 4
    assert cut.coverage == pytest.approx(7 / 11)


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_a_text_without_tokens_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no token"):
        encode(WORDS, text, 8)


def test_a_lone_surrogate_is_refused_with_its_place() -> None:
    with pytest.raises(InputError, match="character 5"):
        encode(WORDS, "তুমি \ud83d", 8)


def test_a_text_of_a_million_characters_is_cut_not_choked_on() -> None:
    encoding = encode(WORDS, "তুমি " * 200_000, 64)
    assert len(encoding) == 64
    assert encoding.coverage == pytest.approx(62 / 200_000)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60), st.sampled_from(["words", "characters"]))
def test_spans_lie_in_the_text_in_order_and_carry_no_white_space(text: str, kind: str) -> None:
    try:
        encoding = encode(TOKENIZERS[kind], text, 64)
    except InputError:
        return
    visible = [span for span, special in zip(encoding.spans, encoding.special, strict=True) if not special]
    assert all(0 <= start <= end <= len(text) for start, end in visible)
    assert visible == sorted(visible)
    assert all(text[start:end] == text[start:end].strip() for start, end in visible)
    assert len(encoding.ids) == len(encoding.tokens) == len(encoding.spans) == len(encoding.special)


TOKENIZERS = {kind: tiny.tokenizer(kind) for kind in ("words", "characters")}
