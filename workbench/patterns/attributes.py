"""What a pattern can ask of a word: every attribute, where the store keeps it, and what it means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from workbench.patterns.mistake import mistake
from workbench.patterns.tree import Attribute

#: text · real (kept in four bytes) · number · lexicon (categories of a term).
Kind: TypeAlias = Literal["text", "real", "number", "lexicon"]
#: On the row of word relevance · on the row of the word · reckoned from all words of the explained text · on the document.
Home: TypeAlias = Literal["relevance", "word", "text", "document"]


@dataclass(frozen=True, slots=True)
class Known:
    """One attribute: its kind, where it is kept and in which column (of a text: SQL in which `{w}` is the word and `{t}` its text).

    `everywhere` says that the row of a word has it too, where there is no relevance.
    """

    name: str
    kind: Kind
    home: Home
    column: str
    meaning: str
    everywhere: bool = True

    @property
    def of_document(self) -> bool:
        """Whether all words of a match share it."""
        return self.home == "document" or self.name in ("explained", "role", "words", "peak")


KNOWN = {
    known.name: known
    for known in (
        Known("form", "text", "relevance", "form", "the word as written"),
        Known("lemma", "text", "relevance", "lemma", "its dictionary form"),
        Known("upos", "text", "relevance", "upos", "universal part of speech"),
        Known("xpos", "text", "word", "xpos", "part of speech of its own tag set"),
        Known("relation", "text", "relevance", "relation", "dependency relation to its head"),
        Known("features", "text", "word", "features", "all morphological features, Case=Nom|Number=Plur"),
        Known("entity", "text", "word", "entity", "type of the named entity it belongs to"),
        Known("index", "number", "relevance", "word", "place in its text, counted from 0"),
        Known("sentence", "number", "relevance", "sentence", "sentence of its text, counted from 0"),
        Known("head", "number", "word", "head", "index of its head, missing for a root"),
        Known("relevance", "real", "relevance", "relevance", "relevance in units of the target", everywhere=False),
        Known("sensitivity", "real", "relevance", "sensitivity", "sensitivity of the target", everywhere=False),
        Known("share", "number", "text", "{w}.relevance / nullif({t}.total, 0)", "its share of all |relevance| in its text",
              everywhere=False),
        Known("place", "number", "text", "({w}.word - {t}.first)::DOUBLE / {t}.span", "place in its text, from 0 up to 1",
              everywhere=False),
        Known("peak", "number", "text", "({t}.strongest - {t}.first)::DOUBLE / {t}.span", "place of the strongest word of its text",
              everywhere=False),
        Known("words", "number", "text", "{t}.words", "words of its text that the model has seen", everywhere=False),
        Known("lexicon", "lexicon", "relevance", "", "category of its form or lemma in the lexicon that comes with the query"),
        Known("explained", "text", "relevance", "label", "class explained", everywhere=False),
        Known("role", "text", "relevance", "role", "which text of the document"),
        Known("label", "text", "document", "label", "label of the document"),
        Known("split", "text", "document", "split", "its published split"),
        Known("language", "text", "document", "language", "its language code"),
        Known("corpus", "text", "document", "corpus", "its corpus"),
        Known("identifier", "text", "document", "identifier", "its identifier"),
    )
}  # fmt: skip
ALIASES = {"word": "form", "token": "form", "pos": "upos", "tag": "xpos", "deprel": "relation", "feats": "features", "ner": "entity"}

#: A feature, as its name begins with a capital letter: Number="Plur".
FEATURE = Known("feature", "text", "word", "features", "one morphological feature")


def names() -> str:
    """All attributes, for the person who asked for another one."""
    return f"{', '.join(KNOWN)}, or a feature such as Number"


def known(text: str, attribute: Attribute) -> Known:
    """What an attribute of a pattern is; InputError names the known ones."""
    name = ALIASES.get(attribute.name, attribute.name)
    if name in KNOWN:
        return KNOWN[name]
    lower = ALIASES.get(name.lower(), name.lower())
    if lower in KNOWN:
        raise mistake(text, attribute.place, f"{name} is no feature", f"write the attribute in small letters: {lower}")
    if name[0].isupper():
        return FEATURE
    raise mistake(text, attribute.place, f"{name} is no attribute of a word", f"use {names()}")
