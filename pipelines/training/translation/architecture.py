"""An untrained Marian model of a shape, as the library makes it: tied embeddings scaled by the root of the width, sinusoidal positions."""

from __future__ import annotations

from transformers import GenerationConfig, MarianConfig, MarianMTModel, PreTrainedTokenizerFast

from pipelines.training.translation.recipes import Shape
from pipelines.training.translation.subwords import WINDOW


def untrained(shape: Shape, tokenizer: PreTrainedTokenizerFast, dropout: float) -> MarianMTModel:
    """A model with random weights, of the variance that keeps states and logits at the scale of one."""
    config = MarianConfig(
        vocab_size=len(tokenizer),
        d_model=shape.width,
        encoder_layers=shape.encoder_layers,
        decoder_layers=shape.decoder_layers,
        encoder_attention_heads=shape.heads,
        decoder_attention_heads=shape.heads,
        encoder_ffn_dim=shape.inner,
        decoder_ffn_dim=shape.inner,
        activation_function="relu",
        dropout=dropout,
        max_position_embeddings=WINDOW,
        init_std=shape.width**-0.5,
        scale_embedding=True,
        eos_token_id=tokenizer.eos_token_id,
        forced_eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        decoder_start_token_id=tokenizer.pad_token_id,
        share_encoder_decoder_embeddings=True,
        tie_word_embeddings=True,
    )
    model = MarianMTModel(config)
    model.generation_config = GenerationConfig(
        max_length=WINDOW,
        num_beams=4,
        eos_token_id=tokenizer.eos_token_id,
        forced_eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        decoder_start_token_id=tokenizer.pad_token_id,
        bad_words_ids=[[tokenizer.pad_token_id]],
    )
    return model
