"""A text classifier of two steps: any Hugging Face encoder, then the mean and the maximum of its states over the tokens.

Small encoders trained from scratch have no useful [CLS] state; the mean says what the text is about, the maximum what stands out in it.
Only torch functions of plain meaning are used (multiplication, sum, division, amax, cat, linear), so that relevance can pass through them.
"""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from transformers import MODEL_MAPPING, AutoConfig, AutoModel, AutoModelForSequenceClassification, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput


class PooledClassifierConfig(PreTrainedConfig):  # type: ignore[no-untyped-call]  # the library leaves its subclass hook untyped
    """Configuration of a pooled classifier: the encoder's own configuration and the dropout before the last layer."""

    model_type = "workbench-pooled-classifier"
    sub_configs: ClassVar[dict[str, Any]] = {"backbone_config": AutoConfig}

    def __init__(
        self, backbone_config: PreTrainedConfig | dict[str, Any] | None = None, classifier_dropout: float = 0.2, **rest: Any
    ) -> None:
        given: Any = {"model_type": "bert"} if backbone_config is None else backbone_config
        if isinstance(given, dict):
            kind = given.get("model_type", "bert")
            given = AutoConfig.for_model(**{**given, "model_type": kind})
        self.backbone_config: PreTrainedConfig = given
        self.classifier_dropout = classifier_dropout
        super().__init__(**rest)

    @property
    def hidden_size(self) -> int:
        """Width of the encoder's states."""
        return int(self.backbone_config.hidden_size)

    @property
    def max_position_embeddings(self) -> int:
        """Longest input in tokens, special tokens included."""
        return int(self.backbone_config.max_position_embeddings)

    @property
    def vocab_size(self) -> int:
        """Number of tokens that the encoder knows."""
        return int(self.backbone_config.vocab_size)


def pool(states: Tensor, attention_mask: Tensor | None) -> Tensor:
    """Mean and maximum of the states over the attended tokens, side by side.

    `states` (batch token hidden), `attention_mask` (batch token) with 1 for attended tokens or None for all; returns (batch 2*hidden).
    """
    if attention_mask is None:
        return torch.cat([states.sum(dim=1) / states.shape[1], torch.amax(states, dim=1)], dim=-1)
    attended = attention_mask.to(states.dtype).unsqueeze(-1)
    mean = (states * attended).sum(dim=1) / attended.sum(dim=1)
    # A finite lowest number, not -inf: a masked token must contribute 0, and 0 * inf is not a number.
    lowest = torch.finfo(states.dtype).min
    largest = torch.amax(states.masked_fill(attended == 0, lowest), dim=1)
    return torch.cat([mean, largest], dim=-1)


class PooledClassifier(PreTrainedModel):  # type: ignore[no-untyped-call]
    """An encoder of the hub's library with a linear layer over its pooled states."""

    config_class = PooledClassifierConfig
    config: PooledClassifierConfig
    base_model_prefix = "backbone"
    main_input_name = "input_ids"
    _supports_sdpa = True
    _supports_attention_backend = True

    def __init__(self, config: PooledClassifierConfig) -> None:
        super().__init__(config)
        # An unused pooler would only be weights that nobody trained.
        encoder: Any = MODEL_MAPPING[type(config.backbone_config)]
        poolable = "add_pooling_layer" in inspect.signature(encoder).parameters
        unpooled: dict[str, Any] = {"add_pooling_layer": False} if poolable else {}
        self.backbone = AutoModel.from_config(config.backbone_config, **unpooled)  # type: ignore[no-untyped-call]
        self.dropout = nn.Dropout(config.classifier_dropout)
        self.classifier = nn.Linear(2 * config.hidden_size, int(config.num_labels or 0))
        self.post_init()  # type: ignore[no-untyped-call]

    def forward(self, input_ids: Tensor | None = None, attention_mask: Tensor | None = None, **rest: Any) -> SequenceClassifierOutput:
        """Logits (batch label) for `input_ids` (batch token); `rest` (token types, positions, embeddings) goes to the encoder as it is."""
        rest.pop("labels", None)
        rest["return_dict"] = True
        states = self.backbone(input_ids=input_ids, attention_mask=attention_mask, **rest).last_hidden_state
        return SequenceClassifierOutput(logits=self.classifier(self.dropout(pool(states, attention_mask))))


AutoConfig.register(PooledClassifierConfig.model_type, PooledClassifierConfig, exist_ok=True)
AutoModelForSequenceClassification.register(PooledClassifierConfig, PooledClassifier, exist_ok=True)
