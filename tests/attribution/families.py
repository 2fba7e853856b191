"""Small models with random weights and random biases, one row for each family: a new family is one row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import transformers as hf
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from workbench.attribution import targets
from workbench.attribution.targets import Target
from workbench.encoding import Encoding

SMALL: dict[str, Any] = {
    "hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 128, "vocab_size": 200,
}  # fmt: skip
SHAPE: dict[str, Any] = {**SMALL, "num_labels": 4}
GROUPED: dict[str, Any] = {**SMALL, "num_key_value_heads": 2, "pad_token_id": 0}
EXPERTS: dict[str, Any] = {**GROUPED, "num_experts_per_tok": 2}
SEQ2SEQ: dict[str, Any] = {
    "d_model": 64, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4, "decoder_attention_heads": 4,
    "encoder_ffn_dim": 128,
    "decoder_ffn_dim": 128, "vocab_size": 200, "pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 2, "decoder_start_token_id": 0,
    "forced_eos_token_id": None,
}  # fmt: skip
T5: dict[str, Any] = {
    "d_model": 64,
    "d_kv": 16,
    "num_layers": 2,
    "num_heads": 4,
    "d_ff": 128,
    "vocab_size": 200,
    "decoder_start_token_id": 0,
}
GATED = "gated-gelu"


@dataclass(frozen=True)
class Family:
    """A name, the model, how to make its configuration, what it positions its tokens by; `single`: texts are explained one by one."""

    name: str
    model: type[Any]
    config: Callable[[], Any]
    positions: str
    attention: str = "sdpa"
    single: bool = False

    @property
    def task(self) -> str:
        """What the model does: classify, continue, or translate."""
        name = self.model.__name__
        return (
            "classifier"
            if name.endswith("Classification")
            else "seq2seq"
            if "decoder" in repr(self.config()) and self.is_seq2seq
            else "causal"
        )

    @property
    def is_seq2seq(self) -> bool:
        """Whether it has an encoder and a decoder."""
        return bool(self.config().is_encoder_decoder)


FAMILIES = (
    Family("BERT", hf.BertForSequenceClassification, lambda: hf.BertConfig(**SHAPE), "absolute"),
    Family("RoBERTa", hf.RobertaForSequenceClassification, lambda: hf.RobertaConfig(**SHAPE), "absolute"),
    Family("XLM-R", hf.XLMRobertaForSequenceClassification, lambda: hf.XLMRobertaConfig(**SHAPE), "absolute"),
    Family(
        "DistilBERT", hf.DistilBertForSequenceClassification,
        lambda: hf.DistilBertConfig(dim=64, n_layers=3, n_heads=4, hidden_dim=128, vocab_size=200, num_labels=4), "absolute",
    ),
    Family("ALBERT", hf.AlbertForSequenceClassification, lambda: hf.AlbertConfig(embedding_size=32, **SHAPE), "absolute"),
    Family("ELECTRA", hf.ElectraForSequenceClassification, lambda: hf.ElectraConfig(embedding_size=32, **SHAPE), "absolute"),
    Family("MPNet", hf.MPNetForSequenceClassification, lambda: hf.MPNetConfig(**SHAPE), "absolute, relative", "eager"),
    Family(
        "DeBERTa-v2", hf.DebertaV2ForSequenceClassification,
        lambda: hf.DebertaV2Config(
            relative_attention=True, pos_att_type=["p2c", "c2p"], position_buckets=8,
            max_relative_positions=32, norm_rel_ebd="layer_norm", **SHAPE
        ), "disentangled", "eager",
    ),
    Family(
        "ModernBERT", hf.ModernBertForSequenceClassification,
        lambda: hf.ModernBertConfig(pad_token_id=0, bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2, **SHAPE), "rotary",
    ),
    Family(
        "GPT-2", hf.GPT2LMHeadModel,
        lambda: hf.GPT2Config(n_embd=64, n_layer=3, n_head=4, vocab_size=200, bos_token_id=1, eos_token_id=1), "absolute",
    ),
    Family("GPT-NeoX", hf.GPTNeoXForCausalLM, lambda: hf.GPTNeoXConfig(**SMALL), "rotary"),
    Family(
        "OPT", hf.OPTForCausalLM,
        lambda: hf.OPTConfig(
            hidden_size=64, num_hidden_layers=3, num_attention_heads=4, ffn_dim=128, vocab_size=200, word_embed_proj_dim=64
        ),
        "absolute",
    ),
    Family("BLOOM", hf.BloomForCausalLM, lambda: hf.BloomConfig(hidden_size=64, n_layer=3, n_head=4, vocab_size=200), "ALiBi", "eager"),
    Family("Llama", hf.LlamaForCausalLM, lambda: hf.LlamaConfig(**GROUPED), "rotary"),
    Family("Mistral", hf.MistralForCausalLM, lambda: hf.MistralConfig(**GROUPED), "rotary"),
    Family("Qwen2", hf.Qwen2ForCausalLM, lambda: hf.Qwen2Config(**GROUPED), "rotary"),
    Family("Qwen3", hf.Qwen3ForCausalLM, lambda: hf.Qwen3Config(head_dim=16, **GROUPED), "rotary"),
    Family("Gemma 2", hf.Gemma2ForCausalLM, lambda: hf.Gemma2Config(head_dim=16, **GROUPED), "rotary", "eager"),
    Family("Gemma 3", hf.Gemma3ForCausalLM, lambda: hf.Gemma3TextConfig(head_dim=16, **GROUPED), "rotary"),
    Family("Phi-3", hf.Phi3ForCausalLM, lambda: hf.Phi3Config(**GROUPED), "rotary"),
    Family("T5", hf.T5ForConditionalGeneration, lambda: hf.T5Config(**T5), "relative"),
    Family(
        "Flan-T5", hf.T5ForConditionalGeneration,
        lambda: hf.T5Config(feed_forward_proj=GATED, tie_word_embeddings=False, **T5), "relative",
    ),
    Family("mT5", hf.MT5ForConditionalGeneration, lambda: hf.MT5Config(feed_forward_proj=GATED, **T5), "relative"),
    Family("BART", hf.BartForConditionalGeneration, lambda: hf.BartConfig(**SEQ2SEQ), "absolute"),
    Family("mBART", hf.MBartForConditionalGeneration, lambda: hf.MBartConfig(**SEQ2SEQ), "absolute"),
    Family("Marian", hf.MarianMTModel, lambda: hf.MarianConfig(scale_embedding=True, **SEQ2SEQ), "sinusoidal"),
    Family("M2M-100/NLLB", hf.M2M100ForConditionalGeneration, lambda: hf.M2M100Config(**SEQ2SEQ), "sinusoidal"),
    Family("Mamba", hf.MambaForCausalLM, lambda: hf.MambaConfig(hidden_size=64, num_hidden_layers=3, vocab_size=200, state_size=8), "none"),
    Family(
        "Mamba-2", hf.Mamba2ForCausalLM,
        lambda: hf.Mamba2Config(
            hidden_size=64, num_hidden_layers=3, vocab_size=200, state_size=8, num_heads=8, head_dim=16, n_groups=2, chunk_size=4
        ),
        "none",
    ),
    Family(
        "Mixtral", hf.MixtralForCausalLM,
        lambda: hf.MixtralConfig(num_local_experts=4, experts_implementation="eager", **EXPERTS), "rotary", single=True,
    ),
    Family(
        "Qwen3-MoE", hf.Qwen3MoeForCausalLM,
        lambda: hf.Qwen3MoeConfig(num_experts=4, moe_intermediate_size=64, head_dim=16, experts_implementation="eager", **EXPERTS),
        "rotary", single=True,
    ),
)  # fmt: skip


class Double(TorchFunctionMode):
    """Leaves out the casts to float32 that models make on their way, so that a float64 model computes in float64 throughout."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        value = args[0] if args else None
        if isinstance(value, Tensor) and value.dtype == torch.float64:
            if function is Tensor.float or (function is Tensor.to and torch.float32 in (*args[1:], *kwargs.values())):
                return value
            kwargs = {name: torch.float64 if given is torch.float32 else given for name, given in kwargs.items()}
        return function(*args, **kwargs)


def build(
    family: Family, *, attention: str | None = None, dtype: torch.dtype = torch.float64, seed: int = 0, gain: float = 3.0
) -> nn.Module:
    """A model of the family; weights are `gain` times their initial size, so that attention and activations are far from linear."""
    torch.manual_seed(seed)
    config = family.config()
    if family.positions != "none":
        config._attn_implementation = attention or family.attention
    model: nn.Module = family.model(config).eval().to(dtype)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(False)
            if parameter.ndim > 1 and "A_log" not in name:
                parameter.mul_(gain)
            elif name.endswith("bias"):
                parameter.normal_(0, 0.1)
    return model


def inputs(family: Family, encodings: list[Encoding]) -> dict[str, Tensor]:
    """The model's arguments for texts of one length; a decoder is given the first half of the text."""
    ids = torch.tensor([text.ids for text in encodings])
    given = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    return given | ({"decoder_input_ids": ids[:, : ids.shape[1] // 2]} if family.is_seq2seq else {})


def target(family: Family, plain: Tensor) -> Target:
    """The likeliest label, or the likeliest next token."""
    return targets.label(plain.argmax(1)) if family.task == "classifier" else targets.next_token()


def texts(count: int, length: int, seed: int = 0) -> list[Encoding]:
    """Random texts of one length."""
    generator = torch.Generator().manual_seed(seed)
    return [encoding(torch.randint(5, 200, (length,), generator=generator).tolist()) for _ in range(count)]


def encoding(ids: list[int]) -> Encoding:
    """An encoding of these tokens, one character each."""
    return Encoding(tuple(ids), tuple(map(str, ids)), tuple((i, i + 1) for i in range(len(ids))), (False,) * len(ids))
