"""Words of a text: from a spaCy pipeline, from gold CoNLL-U, with lemmas and categories from lexicons."""

from workbench.annotation.annotator import Annotator, annotator
from workbench.annotation.gold import read_gold
from workbench.annotation.lexicon import Lexicon, read_lexicon

__all__ = ["Annotator", "Lexicon", "annotator", "read_gold", "read_lexicon"]
