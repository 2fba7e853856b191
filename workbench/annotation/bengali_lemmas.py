"""The Bengali lemmatizer as spaCy has it: `factory = "bengali_edit_trees_v1"` in a pipeline's config.

spaCy's edit-tree lemmatizer edits code points of the text as it is typed. This one edits letters (`orthography.letters`), so that both
encodings of a nukta letter are one word to it, never takes a tree that leaves a sign without its letter, and learns nothing from a lemma
whose tree is too rare to be a label (spaCy counts such a lemma as the first label, whatever that is).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from spacy.language import Language
from spacy.pipeline._edit_tree_internals.edit_trees import EditTrees  # type: ignore[import-not-found]
from spacy.pipeline.edit_tree_lemmatizer import DEFAULT_EDIT_TREE_LEMMATIZER_MODEL, EditTreeLemmatizer
from spacy.strings import StringStore
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Model, SequenceCategoricalCrossentropy

from workbench.annotation.lexicon import key
from workbench.annotation.orthography import letters, well_formed

FACTORY = "bengali_edit_trees_v1"
_FORM = -1  # stands for a tree where the lemma is the form
_NO_LABEL = -1  # stands for a label where there is nothing to learn


class BengaliLemmatizer(EditTreeLemmatizer):
    """Lemmas by edit trees over letters; the form itself where none of the `top_k` likeliest trees gives a well-formed lemma."""

    def get_loss(self, examples: Iterable[Example], scores: list[Any]) -> tuple[float, list[Any]]:
        """Cross-entropy over the words whose lemma has a label; the others, and words without a lemma, count as missing."""
        truths = [list(map(self._label, example.predicted, example.get_aligned("LEMMA", as_string=True))) for example in examples]
        gradient, loss = SequenceCategoricalCrossentropy(normalize=False, missing_value=_NO_LABEL)(scores, truths)
        return float(loss), gradient

    def predict(self, docs: Iterable[Doc]) -> list[Any]:
        """The tree of each word of each document, -1 where the lemma is the form."""
        documents = list(docs)
        if not any(len(doc) for doc in documents):
            return [np.zeros(0, dtype="int64") for _ in documents]
        scores = map(self.numpy_ops.asarray, self.model.predict(documents))
        return [self._trees(doc, rows) for doc, rows in zip(documents, scores, strict=True)]

    def set_annotations(self, docs: Iterable[Doc], batch_tree_ids: list[Any]) -> None:
        """Write the lemmas, in NFC without joiners."""
        for doc, trees in zip(docs, batch_tree_ids, strict=True):
            for token, tree in zip(doc, trees, strict=True):
                if self.overwrite or token.lemma == 0:
                    token.lemma_ = key(letters(token.text) if tree == _FORM else self.trees.apply(tree, letters(token.text)))

    def _trees(self, doc: Doc, scores: Any) -> Any:
        likeliest = zip(doc, scores, scores.argmax(axis=1), strict=True)
        return np.array([self._first(token.text, row, best) for token, row, best in likeliest], dtype="int64")

    def _first(self, form: str, scores: Any, best: int) -> int:
        """The likeliest tree that gives a well-formed lemma."""
        labels = self.cfg["labels"]
        if self._gives_a_lemma(labels[best], form):
            return int(labels[best])
        others = (labels[label] for label in np.argsort(-scores, kind="stable")[: self.top_k])
        return next((int(tree) for tree in others if self._gives_a_lemma(tree, form)), _FORM)

    def _gives_a_lemma(self, tree: int, form: str) -> bool:
        lemma = self.trees.apply(tree, letters(form))
        return lemma is not None and well_formed(lemma, form)

    def _label(self, token: Any, lemma: str | None) -> int:
        label = self._pair2label(token.text, lemma) if lemma else None
        return _NO_LABEL if label is None else label

    def _pair2label(self, form: str, lemma: str, add_label: bool = False) -> int | None:
        label: int | None = super()._pair2label(letters(form), letters(lemma), add_label)  # type: ignore[no-untyped-call]
        return label

    def _labels_from_data(self, get_examples: Callable[[], Iterable[Example]]) -> None:
        """A label for each tree that `min_tree_freq` words of the examples need; counted aside, so that rare trees are not stored."""
        trees = EditTrees(StringStore())
        counts: Counter[int] = Counter()
        pairs: dict[int, tuple[str, str]] = {}
        for token in (token for example in get_examples() for token in example.reference if token.lemma != 0):
            tree = trees.add(letters(token.text), letters(token.lemma_))
            counts[tree] += 1
            pairs[tree] = token.text, token.lemma_
        for tree, count in counts.items():
            if count >= self.min_tree_freq:
                self._pair2label(*pairs[tree], add_label=True)


@Language.factory(
    FACTORY,
    assigns=["token.lemma"],
    requires=[],
    default_config={
        "model": DEFAULT_EDIT_TREE_LEMMATIZER_MODEL,
        "min_tree_freq": 2,
        "overwrite": False,
        "top_k": 3,
        "scorer": {"@scorers": "spacy.lemmatizer_scorer.v1"},
    },
    default_score_weights={"lemma_acc": 1.0},
)
def create_bengali_lemmatizer(
    nlp: Language, name: str, model: Model[Any, Any], min_tree_freq: int, overwrite: bool, top_k: int, scorer: Callable[..., Any] | None
) -> BengaliLemmatizer:
    """Factory of the Bengali lemmatizer, as a spaCy config names it."""
    return BengaliLemmatizer(nlp.vocab, model, name, min_tree_freq=min_tree_freq, overwrite=overwrite, top_k=top_k, scorer=scorer)
