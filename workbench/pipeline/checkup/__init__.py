"""A first look at a model: the same value, closed ledgers, what it is made of, what its tokenizer loses, what relevance costs."""

from workbench.pipeline.checkup.examination import Examination, examine

__all__ = ["Examination", "examine"]
