"""In a notebook, without a store: from a corpus, or from texts of your own, to words with relevance.

The numbers are those that a run would store: the same passes, the same decision of an ensemble, the same sharing of tokens among words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
from markupsafe import Markup

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
from workbench.models.translator import Translator
from workbench.notebook.html import Html
from workbench.pipeline.annotators import Annotators
from workbench.pipeline.classification.work import explain_member, mean_ledger, run_member
from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.frames import Rows
from workbench.pipeline.plan import Wanted
from workbench.pipeline.similarity.work import work
from workbench.pipeline.translation.hypothesis import as_generated, text_of
from workbench.pipeline.translation.keep import Ready, keep
from workbench.pipeline.translation.sequence import EncoderDecoder
from workbench.pipeline.worker import no_one
from workbench.queries.translations import translations as stored_translations
from workbench.relevance import Explanation, Ledger
from workbench.store import Store
from workbench.viz import heatmap as drawing
from workbench.viz.arcs import arcs
from workbench.viz.contribution_map import ContributionData, contribution_map, share_strip
from workbench.viz.interaction_map import interaction_map
from workbench.viz.pair import Pair
from workbench.viz.styles import style

__all__ = [
    "Explained", "Html", "compare", "contributions", "explain", "heatmap", "load", "pair_arcs", "pair_map", "read", "translation_map",
    "translation_strip",
]  # fmt: skip

TEXT = "text"


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


def contributions(
    translator: Translator, text: str, translation: str | None = None, *, method: str = "attnlrp", target: str = "argmax", beams: int = 4
) -> ContributionData:
    """What every word of a translation took from each word of the source and from those generated before it: what `translation_map` draws.

    Without a translation it is the model's own, by beam search. Words come from the embedded pipeline of each language or else a blank one.
    Raises InputError for a text that the model cannot take, PropagationError for an unknown method or target.
    """
    spoken = (translator.source_language, translator.target_language)
    system = EncoderDecoder(translator, translator.name, spoken)
    segments = {"source": text} if translation is None else {"source": text, "reference": translation}
    document = Document("", "translation", segments, metadata={"languages": dict(zip(("source", "reference"), spoken, strict=True))})
    pipeline = Pipeline.model_validate(
        {
            "name": "translation",
            "corpus": {"name": "translation"},
            "model": {"name": translator.name, "precision": translator.precision},
            "translation": {"method": method, "target": target},
            "annotation": {"languages": {language: _annotator(language) for language in spoken}},
        }
    )
    source = system.source(text)
    if translation is None:
        ids = system.translate([source], beams, no_one)[0]
        made = text_of(system.tokenizer, ids)
        role, encoding, other = f"hypothesis:{system.name}", *as_generated(system.tokenizer, ids, made, system.read(source, made))
        ready = Ready(Wanted(document, role, ""), system, source, encoding, made, other)
    else:
        ready = Ready(Wanted(document, "reference", ""), system, source, system.target(source, translation), translation, None)
    if problem := system.problem(source, ready.target.ids):
        raise problem
    rows = Rows()
    explained = system.explain([(source, ready.target.ids)], method, target)
    keep(rows, [(ready, explained[0])], Annotators(pipeline.annotation), None, pipeline)
    with TemporaryDirectory() as folder, Store.open(Path(folder) / "translation.duckdb", "write") as store:
        store.register_model(system.name, system.fingerprint, "translator", system.parameters)
        store.append(rows.batch(), 1)
        return stored_translations(store, document.identifier)[0]


def translation_map(translation: ContributionData, scale: float | None = None) -> Html:
    """A translation as a strip of source shares and a table of what each word took from each."""
    return Html(contribution_map(translation, scale=scale))


def translation_strip(translation: ContributionData) -> Html:
    """The words of a translation, each over a bar that is filled by the share of the source."""
    return Html(Markup('<div class="workbench">{}{}</div>').format(style("heatmap", "interaction"), share_strip(translation)))


def _annotator(language: str | None) -> str:
    embedded = {"bn": "bengali", "de": "german", "en": "english", "es": "spanish", "fr": "french"}
    known = language and find_spec(f"spacy.lang.{language}") is not None
    return embedded.get(language or "", f"blank:{language if known else 'xx'}")


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
