"""Tokenizers that a repository has only as SentencePiece files (Marian, M2M-100): the tokenizer as released, with the spans of its pieces.

The library's own classes cut and number the pieces; where each piece stands in the text is what SentencePiece itself says of it.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from sentencepiece import SentencePieceProcessor
from transformers import M2M100Tokenizer, MarianTokenizer, PreTrainedTokenizerBase

from workbench import fingerprint
from workbench.errors import InputError

#: Token identifiers, their names, spans in the text, and which are special.
Cut: TypeAlias = tuple[list[int], list[str], list[tuple[int, int]], list[bool]]
KNOWN = (MarianTokenizer, M2M100Tokenizer)


@contextmanager
def quiet() -> Iterator[None]:
    """Without the advice to install a normalizer of punctuation that these tokenizers never call."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Recommended: pip install sacremoses")
        yield


def processor(tokenizer: PreTrainedTokenizerBase, *, target: bool = False) -> SentencePieceProcessor:
    """The SentencePiece model that cuts a source, or a target."""
    held: Any = tokenizer
    held = (held.spm_target if target else held.spm_source) if isinstance(tokenizer, MarianTokenizer) else held.sp_model
    assert isinstance(held, SentencePieceProcessor)
    return held


def cut(tokenizer: PreTrainedTokenizerBase, text: str, *, target: bool = False) -> Cut:
    """A whole text as the tokenizer numbers it, with spans; a code of a language that a source begins with (`>>fra<<`) is special.

    Raises InputError for a text in which the tokenizer sees its own special tokens.
    """
    ids = [int(one) for one in (tokenizer(text_target=text) if target else tokenizer(text))["input_ids"]]
    start = 0
    if isinstance(tokenizer, MarianTokenizer) and not target:
        start = len(text) - len(tokenizer.remove_language_code(text)[1])
    said = processor(tokenizer, target=target).encode(text[start:], return_type="offset_mapping")
    found = list(zip(said["pieces"], said["offsets"], strict=True))
    codes = (start > 0) + isinstance(tokenizer, M2M100Tokenizer)
    if len(ids) != codes + len(found) + 1:
        raise InputError(f"encode {text[:40]!r}", "one of the tokenizer's special tokens in the text", "take it out of the text")
    names = ["" if codes <= place < codes + len(found) else str(name) for place, name in enumerate(tokenizer.convert_ids_to_tokens(ids))]
    spans, special = [(0, 0)] * len(ids), [True] * len(ids)
    for place, (piece, (begin, end)) in enumerate(found, start=codes):
        names[place] = str(tokenizer.unk_token) if ids[place] == tokenizer.unk_token_id else str(piece)
        spans[place], special[place] = (start + begin, start + end), False
    return ids, names, spans, special


def definition(tokenizer: PreTrainedTokenizerBase) -> str:
    """Fingerprint of all that determines the numbers of its pieces."""
    sides = {side: processor(tokenizer, target=side == "target").serialized_model_proto() for side in ("source", "target")}
    models = {side: hashlib.sha256(model).hexdigest() for side, model in sides.items()}
    vocabularies = [getattr(tokenizer, name, {}) for name in ("encoder", "target_encoder", "lang_code_to_id")]
    return fingerprint.of_json({"class": type(tokenizer).__name__, "models": models, "vocabularies": vocabularies})
