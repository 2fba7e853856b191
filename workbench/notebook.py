"""In a notebook, without a store: from a corpus, or from texts of your own, to words with relevance.

The numbers are those that a run would store: the same passes, the same decision of an ensemble, the same sharing of tokens among words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from workbench import annotation, corpora
from workbench.annotation.translations import translations
from workbench.attribution.words import to_words
from workbench.corpora import Reading
from workbench.document import Document, Word
from workbench.encoding import Encoding
from workbench.errors import InputError
from workbench.models.encode import encode
from workbench.models.encoder import Encoder
from workbench.models.ensemble import Ensemble, decide
from workbench.models.ensemble import load_ensemble as load
from workbench.pipeline.annotators import Annotators
from workbench.pipeline.classification.work import explain_member, mean_ledger, run_member
from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.plan import Wanted
from workbench.pipeline.similarity.work import work
from workbench.relevance import Explanation, Ledger
from workbench.viz import heatmap as drawing
from workbench.viz.arcs import arcs
from workbench.viz.interaction_map import interaction_map
from workbench.viz.pair import Pair

__all__ = ["Explained", "Html", "compare", "explain", "heatmap", "load", "pair_arcs", "pair_map", "read"]

TEXT = "text"


class Html(str):
    """HTML that a notebook shows as a page, and everything else takes for the string that it is."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True)
class Explained:
    """One document with the label that the model gives it and what speaks for that label, by word.

    `words` has a row for each word (kind `word`, char_start, char_end, form, lemma, upos, relevance), one for all special tokens together
    and one for all tokens that touch no word: relevance is in units of the target and sums to the ledger's account `tokens`.
    """

    document: Document
    label: str
    words: pl.DataFrame
    ledger: Ledger

    def _repr_html_(self) -> str:
        return heatmap(self)


def read(corpus: str, split: str | None = None, limit: int | None = None) -> Reading:
    """Documents of a corpus by its name; InputError names those that exist."""
    return corpora.read(corpora.find(corpus), split, limit)


def explain(
    model: Ensemble,
    documents: Iterable[Document | str],
    *,
    composite: str = "attnlrp.v1",
    annotator: str | None = None,
) -> list[Explained]:
    """What speaks for the label that the model gives each document; relevance of an ensemble is the mean over its members.

    Words come from the named annotator; without one, from the embedded pipeline of the documents' language or else a blank one. Raises
    InputError for a text without words, PropagationError for a model that holds an operation without a rule.
    """
    given = [Document("", str(place), {TEXT: text}) if isinstance(text := item, str) else text for place, item in enumerate(documents)]
    if not given:
        return []
    texts = [document.segments[TEXT] for document in given]
    found = annotator or _annotator(given[0].language)
    words = annotation.annotator(found).annotate(texts)
    passes = [run_member(member, [encode(member.tokenizer, text, member.window) for text in texts], composite) for member in model.members]
    chosen = decide([passed.logits for passed in passes]).by_vote
    explained = [explain_member(passed, chosen, "logit") for passed in passes]
    answers = []
    for place, document in enumerate(given):
        parts = [explanations[place] for explanations in explained]
        frame = _frame(words[place], parts, [passed.encodings[place] for passed in passes])
        answers.append(Explained(document, model.labels[int(chosen[place])], frame, mean_ledger(parts)))
    return answers


def heatmap(explained: Explained, scale: float | None = None) -> Html:
    """One explained document as a page; `scale` is the relevance of full colour, to be shared where documents are compared."""
    document = explained.document
    return Html(
        drawing.heatmap(explained.words, text=document.segments[TEXT], scale=scale, title=explained.label, language=document.language)
    )


def compare(
    encoder: Encoder,
    left: str,
    right: str,
    *,
    languages: tuple[str, str] = ("en", "en"),
    composite: str = "bilrp.v1",
    measure: str = "cosine",
) -> Pair:
    """What two texts share for a sentence encoder, word by word: the pair that `pair_map` and `pair_arcs` draw.

    Words come from the embedded pipeline of each language or else a blank one. Raises InputError for a text that cannot be encoded or is
    longer than the model's window.
    """
    roles = ("text_a", "text_b")
    spoken = dict(zip(roles, languages, strict=True))
    document = Document("", "pair", dict(zip(roles, (left, right), strict=True)), metadata={"languages": spoken})
    pipeline = Pipeline.model_validate(
        {
            "name": "pair",
            "corpus": {"name": "pair"},
            "model": {"name": encoder.name, "precision": encoder.precision},
            "similarity": {"composite": composite, "measure": measure, "factors": "none"},
            "annotation": {"languages": {language: _annotator(language) for language in languages}},
        }
    )
    batch = work([Wanted(document, "~".join(roles), "")], encoder, Annotators(pipeline.annotation), translations, pipeline)
    for error in batch["failure"]["error"]:
        raise InputError("compare two texts", str(error), "compare shorter texts, or repair them")
    words = {role: batch["word"].filter(pl.col("role") == role) for role in roles}
    return Pair(
        left,
        right,
        words["text_a"],
        words["text_b"],
        batch["interaction"],
        similarity=float(batch["explanation"]["target_value"][0]),
        unit=measure,
        left_language=languages[0],
        right_language=languages[1],
    )


def pair_map(pair: Pair, scale: float | None = None) -> Html:
    """The interactions of a pair as a table of colours that sums to the similarity."""
    return Html(interaction_map(pair, scale=scale))


def pair_arcs(pair: Pair, scale: float | None = None) -> Html:
    """The strongest interactions of a pair as lines between its texts."""
    return Html(arcs(pair, scale=scale))


def _annotator(language: str | None) -> str:
    embedded = {"bn": "bengali", "de": "german", "en": "english", "es": "spanish", "fr": "french"}
    return embedded.get(language or "", f"blank:{language or 'xx'}")


def _frame(words: Sequence[Word], parts: Sequence[Explanation], encodings: Sequence[Encoding]) -> pl.DataFrame:
    """Words and the two sums, relevance as the mean over the members."""
    shared = [to_words(part.tokens, encoding, words) for part, encoding in zip(parts, encodings, strict=True)]
    relevance = [*np.mean([one.words for one in shared], axis=0)] if words else []
    sums = [float(np.mean([one.special for one in shared])), float(np.mean([one.uncovered for one in shared]))]
    return pl.DataFrame(
        {
            "kind": ["word"] * len(words) + ["special", "uncovered"],
            "char_start": [word.char_start for word in words] + [None, None],
            "char_end": [word.char_end for word in words] + [None, None],
            "form": [word.form for word in words] + [None, None],
            "lemma": [word.lemma for word in words] + [None, None],
            "upos": [word.upos for word in words] + [None, None],
            "relevance": [*map(float, relevance), *sums],
        },
        schema_overrides={"char_start": pl.Int32, "char_end": pl.Int32, "form": pl.String, "lemma": pl.String, "upos": pl.String},
    )
