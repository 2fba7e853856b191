"""What stands behind a counted item: its rows of the store, and its words as a pattern."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from workbench.queries.evidence import Evidence, Lead, cql, value_as_sql
from workbench.queries.keyness.groups import SPAN, Groups
from workbench.queries.keyness.items import Items

#: Attributes of groups that a pattern can ask for as well.
ASKED = ("label", "split", "language", "corpus", "explained")


@dataclass(frozen=True, slots=True)
class ItemEvidence(Evidence):
    """The occurrences of an item, in the group in which it is key; `asked` are what a pattern asks of their first word besides."""

    counted: Items = Items()  # noqa: RUF009 - it cannot be changed
    sides: tuple[str, str] = ("", "")
    asked: tuple[tuple[str, str], ...] = ()

    def lead(self, row: Mapping[str, Any], parameters: Mapping[str, Any] | None = None) -> Lead:
        """What stands behind one row."""
        explanations = self.sides[0 if row.get("side") == "reference" else 1]
        condition = f"w.explanation IN ({explanations}) AND {self.counted.condition(value_as_sql(row['item']))}"
        found = Evidence(f"(SELECT w.* FROM {self.counted.view} WHERE {condition})", "true", value="relevance").lead(row, parameters)
        return replace(found, pattern=self.words(row, parameters or {}))

    def words(self, row: Mapping[str, Any], parameters: Mapping[str, Any]) -> str | None:  # noqa: ARG002 - the groups narrow it alone
        """The pattern of an item; none for a category of a lexicon, which a pattern knows only with the lexicon."""
        if self.counted.what == "lexicon":
            return None
        parts = str(row["item"]).split(" ") if self.counted.n > 1 else [str(row["item"])]
        if len(parts) != self.counted.n:  # a word with a blank in it
            return None
        besides = "" if row.get("side") == "reference" else "".join(f" & {name}={cql(value)}" for name, value in self.asked)
        row_of_words = " ".join(f"[{self.word(part)}{besides if not place else ''}]" for place, part in enumerate(parts))
        return f"{row_of_words} within sentence" if len(parts) > 1 else row_of_words

    def word(self, text: str) -> str:
        """The condition on one word."""
        flags = "" if self.counted.case else "c"
        if self.counted.what == "feature":
            name, _, value = text.partition("=")
            return f"{name}={cql(value)}"
        if self.counted.what == "lemma":
            return f"(lemma={cql(text, flags)} | !lemma & form={cql(text, flags)})"
        return f"{self.counted.what}={cql(text, flags if self.counted.what == 'form' else '')}"


def evidence(counted: Items, groups: Groups) -> ItemEvidence:
    """What stands behind the rows of a comparison."""
    single = groups.by in ASKED and len(groups.focus) == 1 and not SPAN.fullmatch(groups.focus[0])
    asked = ((groups.by, groups.focus[0]),) if single else ()
    return ItemEvidence("word_relevance", "true", counted=counted, sides=groups.rows, asked=asked)
