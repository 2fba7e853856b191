"""Three ways to cut Bengali into tokens: WordPiece, Unigram and orthographic syllables (aksharas).

All three only compose characters (NFC): nothing is lower-cased, no vowel sign, hasanta or joiner is dropped, and offsets lead back to
the text.
"""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Callable

import regex
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
JOINER = r"[\u200C\u200D]"
BASE = r"[\u0985-\u0994\u0995-\u09B9\u09CE\u09DC\u09DD\u09DF\u09E0\u09E1\u09F0\u09F1]\u09BC?"
"""An independent vowel or a consonant, with its nukta."""
SIGN = r"[\u0981-\u0983\u09BC\u09BE-\u09CD\u09D7\u09E2\u09E3\u09FE\u200C\u200D]"
"""Dependent vowel signs, nasal marks, final hasanta and joiners."""
AKSHARA = rf"{BASE}(?:\u09CD{JOINER}?{BASE})*{SIGN}*"
"""One orthographic syllable: consonants joined by hasanta (a conjunct, never split), then its signs."""
PIECES = rf"{AKSHARA}| |[^ ]"
"""Syllables, the mark between words (a blank), and anything else one character at a time."""


def finished(tokenizer: Tokenizer, window: int) -> PreTrainedTokenizerFast:
    """The tokenizer with [CLS] and [SEP] around each text, cut at `window` tokens, as the hub's library expects it."""
    classify, separate = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", classify), ("[SEP]", separate)]
    )
    made: PreTrainedTokenizerFast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        model_max_length=window,
        model_input_names=["input_ids", "attention_mask"],
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        clean_up_tokenization_spaces=False,
    )
    return made


def wordpiece(texts: list[str], size: int) -> PreTrainedTokenizerFast:
    """WordPiece over words without punctuation."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(vocab_size=size, min_frequency=3, special_tokens=SPECIAL, limit_alphabet=220, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return finished(tokenizer, 160)


def unigram(texts: list[str], size: int) -> PreTrainedTokenizerFast:
    """A unigram language model over words without punctuation; a word's first piece carries the mark of the space before it."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFC()
    metaspace = pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), metaspace, pre_tokenizers.Punctuation("isolated")])
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=size, special_tokens=SPECIAL, unk_token="[UNK]", max_piece_length=16, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return finished(tokenizer, 160)


def akshara(texts: list[str], size: int) -> PreTrainedTokenizerFast:
    """Orthographic syllables by frequency; a syllable seen fewer than three times is unknown as a whole, never a broken conjunct."""
    normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()])
    splitter = pre_tokenizers.Split(Regex(PIECES), behavior="isolated")
    seen: Counter[str] = Counter()
    for text in texts:
        seen.update(piece for piece, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text)))
    seen.update(dict.fromkeys(string.digits + string.ascii_letters + string.punctuation, 3))
    kept = [piece for piece, count in sorted(seen.items(), key=lambda item: (-item[1], item[0])) if count >= 3][: size - len(SPECIAL)]
    tokenizer = Tokenizer(models.WordLevel({piece: index for index, piece in enumerate(SPECIAL + kept)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = splitter
    tokenizer.decoder = decoders.Fuse()
    return finished(tokenizer, 384)


Maker = Callable[[list[str], int], PreTrainedTokenizerFast]
MAKERS: dict[str, Maker] = {"wordpiece": wordpiece, "unigram": unigram, "akshara": akshara}


def syllables(text: str) -> list[str]:
    """The aksharas of a text, by the same expression as the tokenizer (an independent check of the tokenizer's splits)."""
    found: list[str] = regex.findall(AKSHARA, text)
    return found
