"""Relevance keyness and collocation: what carries more relevance in one group of documents, or around a word, than elsewhere."""

from workbench.queries.keyness.collocates import Collocates, collocates
from workbench.queries.keyness.keyness import Keyness, keyness

__all__ = ["Collocates", "Keyness", "collocates", "keyness"]
