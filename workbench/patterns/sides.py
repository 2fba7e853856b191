"""A word on one side of a pair: what stands on the row of the interaction, and what is joined for the rest."""

from __future__ import annotations

from dataclasses import dataclass, field

from workbench.patterns.attributes import FEATURE, Known, known
from workbench.patterns.expression import Value, term
from workbench.patterns.lexicon import Lexicon
from workbench.patterns.mistake import mistake
from workbench.patterns.tree import Attribute, Call
from workbench.store.literal import quoted

ON_THE_ROW = ("form", "lemma", "upos", "relation")


@dataclass(slots=True)
class Side:
    """The left or the right word of an interaction `i`; `role` is the text it stands in."""

    name: str
    role: str
    text: str
    lexicon: Lexicon | None
    joined: set[str] = field(default_factory=set)

    def attribute(self, attribute: Attribute) -> Value:
        """The value of an attribute of this word."""
        if attribute.owner is not None:
            raise mistake(self.text, attribute.place, "a capture inside brackets", "compare captures behind the pattern, after ::")
        what = known(self.text, attribute)
        if what.kind == "lexicon":
            if self.lexicon is None:
                raise mistake(
                    self.text, attribute.place, "no lexicon comes with the query", "give one: find(…, lexicon=…), or --lexicon FILE"
                )
            form, lemma = (term(f"i.{self.name}_{column}", self.lexicon) for column in ("form", "lemma"))
            return Value(form, "lexicon", lemma)
        column = self.column(what, attribute)
        if what is FEATURE:
            name = attribute.name.replace("[", r"\[").replace("]", r"\]")
            wanted = quoted(rf"(?:^|\|){name}=([^|]*)")
            return Value(f"nullif(regexp_extract({column}, {wanted}, 1), '')", "text")
        return Value(column, what.kind)

    def column(self, what: Known, attribute: Attribute) -> str:
        """The column of an attribute, with its table joined."""
        if what.name in ON_THE_ROW:
            return f"i.{self.name}_{what.name}"
        if what.name == "index":
            return f"i.{self.name}_word"
        if what.name == "role":
            return quoted(self.role)
        if what.name == "explained":
            raise mistake(self.text, attribute.place, "a pair explains its similarity, no class", "ask for something else")
        if what.home == "text":
            raise mistake(self.text, attribute.place, f"{what.name} is of one text, a pair has two", "ask for index, or for relevance")
        if what.name == "language":
            self.joined.add("pair")
            return f"ip.{self.name}_language"
        if what.home == "document":
            self.joined.add("document")
            return f"id.{what.column}"
        if what.name in ("relevance", "sensitivity"):
            self.joined.add("relevance")
            return f"{self.name}_w.{what.column}"
        self.joined.add("word")
        return f"{self.name}_x.{what.column}"

    def call(self, call: Call) -> Value:
        """A word alone has no functions but abs."""
        raise mistake(self.text, call.place, f"{call.name} is no function of a word", "compare the two texts behind the pattern, after ::")

    def joins(self) -> list[str]:
        """The tables to join to the interactions."""
        found, name = [], self.name
        if "pair" in self.joined:
            found.append("JOIN pairs ip ON ip.explanation = i.explanation")
        if "document" in self.joined:
            found.append("JOIN documents id ON id.document = i.document")
        if "relevance" in self.joined:
            same = " AND ".join(f"{name}_w.{column} = i.{column}" for column in ("document", "model", "composite"))
            found.append(
                f"JOIN word_relevance {name}_w ON {same} AND {name}_w.role = {quoted(self.role)} AND {name}_w.word = i.{name}_word"
            )
        if "word" in self.joined:
            place = f"{name}_x.role = {quoted(self.role)} AND {name}_x.word = i.{name}_word"
            found.append(f"JOIN words {name}_x ON {name}_x.document = i.document AND {place}")
        return found
