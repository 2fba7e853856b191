"""The vocabulary: lower-cased WordPiece over four languages; accents stay, since they tell words apart."""

from __future__ import annotations

from collections.abc import Iterator

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from pipelines.training.bengali_hate.subwords import SPECIAL, finished
from pipelines.training.multilingual_encoder.rows import LANGUAGES, Row

VOCABULARY, WINDOW = 16_000, 128
COMMON, ONCE = 7_000, 8
"""Words of the teacher's vocabulary, the most frequent first, that count as if they stood so many times in the texts."""
SHARE = {"en": 1, "de": 3, "fr": 1, "es": 3}
"""How often a text counts: German and Spanish have few, and shall have their words whole too."""


def subwords(rows: list[Row], teacher: PreTrainedTokenizerFast) -> PreTrainedTokenizerFast:
    """A WordPiece tokenizer learnt from the rows and the teacher's common words."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.BertNormalizer(lowercase=True, strip_accents=False)])
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=VOCABULARY, min_frequency=3, special_tokens=SPECIAL, limit_alphabet=200, show_progress=False
    )
    tokenizer.train_from_iterator(texts(rows, teacher), trainer)
    return finished(tokenizer, WINDOW)


def texts(rows: list[Row], teacher: PreTrainedTokenizerFast) -> Iterator[str]:
    """What the vocabulary is counted on."""
    for row in rows:
        for language in LANGUAGES:
            if language in row.texts:
                yield from [row.texts[language]] * SHARE[language]
    vocabulary = teacher.get_vocab()
    pieces = sorted(vocabulary, key=vocabulary.__getitem__)
    whole = [piece for piece in pieces if piece.isalpha() and len(piece) > 1]
    yield from [" ".join(whole[:COMMON])] * ONCE
