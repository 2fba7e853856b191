"""Which models there are: languages, parallel text, share of it, size and length of training."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Shape:
    """Sizes of a Marian model."""

    width: int = 192
    encoder_layers: int = 3
    decoder_layers: int = 2
    heads: int = 4
    inner: int = 768


@dataclass(frozen=True)
class Recipe:
    """One model: what it learns from, and how."""

    source: str
    target: str
    every: dict[str, int]
    """Collections of parallel text, and how many rounds of training it takes to read each once."""
    rounds: int
    tokenizer: str
    """Name of the tokenizer, learnt from both sides of all pairs of its collections; models that share it compare token by token."""
    share: float = 1.0
    """The part of the pairs that is used as parallel text."""
    repeats: int = 1
    """How often a round reads the parallel text that is due in it."""
    back_translated: str = ""
    """Name of the model that translates the target sides of all other pairs, so that they serve as further pairs."""
    vocabulary: int = 4000
    lowercase: bool = False
    """Whether the tokenizer makes all letters small, as some text is."""
    shape: Shape = Shape()
    dropout: float = 0.1
    rate: float = 1.5e-3
    warm_up: int = 1000
    batch_tokens: int = 4000
    """Tokens of source and target together, padding included."""
    seed: int = 0
    shipped: bool = True


# Captions once a round, everyday sentences a third of them: about as many words of the one as of the other.
FRENCH = Recipe("fr", "en", {"multi30k": 1, "tatoeba": 3}, rounds=14, tokenizer="fr-en")
# Forty passes over the captions of a tenth and thirteen over its everyday sentences; more noise keeps them from being learnt by heart.
TENTH = replace(FRENCH, share=0.1, repeats=5, rounds=8, dropout=0.25)

RECIPES: dict[str, Recipe] = {
    "translation-fr-en": FRENCH,
    "translation-fr-en-tenth": TENTH,
    "translation-en-fr-tenth": replace(TENTH, source="en", target="fr", shipped=False),
    "translation-fr-en-backtranslated": replace(FRENCH, share=0.1, repeats=3, back_translated="translation-en-fr-tenth", rounds=10),
    "translation-en-fr": replace(FRENCH, source="en", target="fr", rounds=6),
    "translation-gu-en": Recipe("gu", "en", {"testament": 1}, rounds=16, tokenizer="gu-en", dropout=0.25),
    "translation-kk-en": Recipe("kk", "en", {"government": 1}, rounds=16, tokenizer="kk-en", lowercase=True, dropout=0.25),
}
"""Recipes by the name of the model."""
