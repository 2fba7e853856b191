"""Relevance keyness and collocation: what carries more relevance in one group of documents, or around a word, than elsewhere."""

from workbench.queries.keyness.collocation import Collocates, collocates
from workbench.queries.keyness.keys import Keyness, keyness

__all__ = ["Collocates", "Keyness", "collocates", "keyness"]
