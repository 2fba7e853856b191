"""The tokenizer of a language pair: one BPE for both sides, with character offsets, which never joins words, punctuation or digits."""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

END, UNKNOWN, PADDING = "</s>", "<unk>", "<pad>"
SPECIAL = [END, UNKNOWN, PADDING]
WINDOW = 256


def trained(texts: Iterable[str], size: int, lowercase: bool = False) -> PreTrainedTokenizerFast:
    """A tokenizer of `size` pieces learnt from texts of both languages."""
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN, fuse_unk=True))
    plain = [normalizers.NFC(), normalizers.Replace("’", "'"), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    tokenizer.normalizer = normalizers.Sequence([*plain, normalizers.Lowercase()] if lowercase else plain)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(prepend_scheme="always"),
            # after "l'" a word begins, and so does one after a hyphen: each punctuation mark stands alone
            pre_tokenizers.Split(Regex(r"[^\p{L}\p{M}\p{N}▁]"), "isolated"),
            pre_tokenizers.Split(Regex(r"\p{N}"), "isolated"),
        ]
    )
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(vocab_size=size, special_tokens=SPECIAL, limit_alphabet=400, show_progress=False),
    )
    end = tokenizer.token_to_id(END)
    tokenizer.post_processor = processors.TemplateProcessing(single=f"$A {END}", pair=f"$A {END} $B {END}", special_tokens=[(END, end)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=END, unk_token=UNKNOWN, pad_token=PADDING, model_max_length=WINDOW, padding_side="right"
    )


def ids(tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> list[list[int]]:
    """Token identifiers of texts, the end token included."""
    return [list(found.ids) for found in tokenizer.backend_tokenizer.encode_batch(texts)]
