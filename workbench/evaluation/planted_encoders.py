"""The small encoders of the planted control, one for each way of telling positions; all read their answer at the first token.

| encoding | encoder | where position enters |
|---|---|---|
| absolute | BERT | an embedding of each position, added to the word's (Devlin et al. 2019) |
| rotary | ModernBERT | queries and keys are turned by an angle that grows with the position (Su et al. 2021) |
| relative | T5 encoder | a number for each head and distance, added to the attention scores (Raffel et al. 2020) |
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, get_args

from torch import Tensor, nn
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    ModernBertConfig,
    ModernBertForSequenceClassification,
    PreTrainedModel,
    T5Config,
    T5ForTokenClassification,
)
from transformers.modeling_outputs import SequenceClassifierOutput

from workbench.evaluation.planted_texts import CLS, LENGTH, PAD, SEP

PositionEncoding: TypeAlias = Literal["absolute", "rotary", "relative"]
POSITION_ENCODINGS: tuple[PositionEncoding, ...] = get_args(PositionEncoding)

LAYERS, WIDTH, HEADS, INNER = 2, 64, 4, 128


class FirstTokenT5(T5ForTokenClassification):  # type: ignore[no-untyped-call]  # the library leaves its subclass hook untyped
    """A T5 encoder that classifies a text at its first token."""

    def get_input_embeddings(self) -> nn.Module:
        """The table that the pass looks words up in; the library names another module with the same weights."""
        table: nn.Module = self.transformer.encoder.embed_tokens
        return table

    def forward(self, input_ids: Tensor | None = None, attention_mask: Tensor | None = None, **rest: Any) -> SequenceClassifierOutput:
        """Logits (batch label) for `input_ids` (batch token)."""
        found = super().forward(input_ids=input_ids, attention_mask=attention_mask, **rest)
        return SequenceClassifierOutput(logits=found.logits[:, 0], attentions=found.attentions)


def tiny_encoder(encoding: PositionEncoding, vocabulary: int, labels: int = 2) -> PreTrainedModel:
    """An untrained classifier: 2 layers, 4 heads, 64 wide, no dropout, in torch's current random state."""
    return {"absolute": _bert, "rotary": _modernbert, "relative": _t5}[encoding](vocabulary, {"num_labels": labels})


def _bert(vocabulary: int, rest: dict[str, Any]) -> PreTrainedModel:
    config = BertConfig(
        vocab_size=vocabulary, hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS, intermediate_size=INNER,
        max_position_embeddings=LENGTH, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, pad_token_id=PAD,
        **rest,
    )  # fmt: skip
    return BertForSequenceClassification(config)


def _modernbert(vocabulary: int, rest: dict[str, Any]) -> PreTrainedModel:
    every_layer: dict[str, Any] = {"global_attn_every_n_layers": 1}  # no window: each token sees the whole text
    config = ModernBertConfig(
        vocab_size=vocabulary, hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS, intermediate_size=INNER,
        max_position_embeddings=LENGTH, classifier_pooling="cls", pad_token_id=PAD,
        bos_token_id=CLS, cls_token_id=CLS, eos_token_id=SEP, sep_token_id=SEP, **every_layer, **rest,
    )  # fmt: skip
    return ModernBertForSequenceClassification(config)


def _t5(vocabulary: int, rest: dict[str, Any]) -> PreTrainedModel:
    # 64 buckets: every distance up to 15 has a number of its own, and the longest, 23, shares with few.
    config = T5Config(
        vocab_size=vocabulary, d_model=WIDTH, d_kv=WIDTH // HEADS, d_ff=INNER, num_layers=LAYERS, num_heads=HEADS,
        relative_attention_num_buckets=64, dropout_rate=0.0, classifier_dropout=0.0, pad_token_id=PAD, eos_token_id=SEP,
        is_encoder_decoder=False, use_cache=False, **rest,
    )  # fmt: skip
    return FirstTokenT5(config)
