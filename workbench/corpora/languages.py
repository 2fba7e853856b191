"""Pairs of languages: which languages the two texts of a document are in, and how they are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.document import Document
from workbench.errors import InputError

if TYPE_CHECKING:
    from workbench.corpora.declaration import Declaration

#: Several languages in one document (ISO 639-2).
SEVERAL = "mul"


@dataclass(frozen=True, slots=True)
class LanguagePair:
    """The language of the first and of the second text; `translation` where they are one text in two languages, not the texts of a pair."""

    first: str
    second: str
    translation: bool = False

    @property
    def name(self) -> str:
        """How it is asked for: `en`, `en-de` or `en=de`."""
        return self.first if self.first == self.second else f"{self.first}{'=' if self.translation else '-'}{self.second}"

    @property
    def language(self) -> str:
        """The language of a document of this pair, `mul` for two."""
        return self.first if self.first == self.second else SEVERAL


def language_pairs(declaration: Declaration, asked: str | Sequence[str] | None) -> tuple[LanguagePair, ...]:
    """The pairs of languages asked for, all languages one by one where nothing is; InputError for one the corpus does not have."""
    languages = declaration.languages
    if asked is None:
        return tuple(LanguagePair(language, language) for language in languages)
    names = list(dict.fromkeys([asked] if isinstance(asked, str) else asked))
    known = _known(languages)
    if names and all(name in known for name in names):
        return tuple(known[name] for name in names)
    one, other = (*languages, *languages)[:2] if languages else ("en", "de")
    remedy = f"ask for a language ({one!r}), a pair of them ('{one}-{other}') or translations ('{one}={other}')"
    raise InputError(
        f"read the corpus {declaration.name} in the languages {', '.join(map(repr, names)) or 'none'}",
        f"languages {', '.join(languages)}" if languages else f"a corpus in one language, {declaration.language!r}",
        remedy if languages else "leave the languages out",
    )


def language_of(document: Document, role: str) -> str | None:
    """The language of one text of a document; None where it is not known. What a system made (`hypothesis:SYSTEM`) is as its reference."""
    languages = document.metadata.get("languages")
    named = languages.get("reference" if role.startswith("hypothesis:") else role) if isinstance(languages, Mapping) else None
    return named if isinstance(named, str) else None if document.language == SEVERAL else document.language


def _known(languages: Sequence[str]) -> dict[str, LanguagePair]:
    pairs = [LanguagePair(first, second) for first in languages for second in languages]
    translations = [LanguagePair(first, second, True) for first in languages for second in languages if first != second]
    return {pair.name: pair for pair in [*pairs, *translations]}
