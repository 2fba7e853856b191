"""Tiny translation models in the shape of released repositories whose tokenizers are SentencePiece files alone, trained here."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import sentencepiece
import torch
from transformers import M2M100Config, M2M100ForConditionalGeneration, MarianConfig, MarianMTModel
from transformers.models.m2m_100.tokenization_m2m_100 import FAIRSEQ_LANGUAGE_CODES

FRENCH = ("le chat dort .", "le petit chien noir mange .", "un chat est noir , l'été .", "le chien n'est pas un chat .", "ça dort déjà !")
ENGLISH = ("the cat sleeps .", "the small black dog eats .", "a cat is black in the summer .", "the dog is not a cat .", "it sleeps now !")
SIZES = {
    "d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "init_std": 0.5, "max_position_embeddings": 64, "scale_embedding": True,
}  # fmt: skip


def trained(lines: Iterable[str], kind: str, size: int) -> bytes:
    """A SentencePiece model of these lines."""
    made = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(  # type: ignore[no-untyped-call]
        sentence_iterator=iter(lines), model_writer=made, model_type=kind, vocab_size=size, hard_vocab_limit=False, minloglevel=2
    )
    return made.getvalue()


def pieces(model: bytes) -> list[str]:
    """Its pieces without special ones."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)  # type: ignore[no-untyped-call]
    return [processor.id_to_piece(place) for place in range(3, processor.get_piece_size())]


def save_marian(folder: Path, *, codes: Sequence[str] = (), left_out: Sequence[str] = ()) -> Path:
    """A Marian as released: source.spm, target.spm, one vocab.json; `codes` of target languages make it one for several."""
    folder.mkdir(parents=True, exist_ok=True)
    sides = {"source": trained(FRENCH, "unigram", 60), "target": trained(ENGLISH, "unigram", 60)}
    for side, model in sides.items():
        (folder / f"{side}.spm").write_bytes(model)
    known = [piece for piece in dict.fromkeys([*pieces(sides["target"]), *pieces(sides["source"])]) if piece not in left_out]
    names = ["</s>", "<unk>", *(f">>{code}<<" for code in codes), *known, "<pad>"]
    (folder / "vocab.json").write_text(json.dumps({name: place for place, name in enumerate(names)}), "utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "MarianTokenizer", "model_max_length": 48}), "utf-8")
    torch.manual_seed(5)
    last = len(names) - 1
    special = {"eos_token_id": 0, "forced_eos_token_id": 0, "pad_token_id": last, "decoder_start_token_id": last}
    MarianMTModel(MarianConfig(vocab_size=len(names), bad_words_ids=[[last]], **SIZES, **special)).save_pretrained(folder)
    return folder


def save_m2m(folder: Path) -> Path:
    """An M2M-100 as released: sentencepiece.bpe.model and vocab.json; the codes of its hundred languages stand behind the vocabulary."""
    folder.mkdir(parents=True, exist_ok=True)
    model = trained([*FRENCH, *ENGLISH], "bpe", 90)
    (folder / "sentencepiece.bpe.model").write_bytes(model)
    names = ["<s>", "<pad>", "</s>", "<unk>", *pieces(model)]
    (folder / "vocab.json").write_text(json.dumps({name: place for place, name in enumerate(names)}), "utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "M2M100Tokenizer", "model_max_length": 48}), "utf-8")
    torch.manual_seed(5)
    size = len(names) + len(FAIRSEQ_LANGUAGE_CODES["m2m100"]) + 8
    special = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2}
    M2M100ForConditionalGeneration(M2M100Config(vocab_size=size, **SIZES, **special)).save_pretrained(folder)
    return folder
