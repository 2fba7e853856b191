"""Where words are read: the rows of word relevance of one model and composite, or the words alone where there is no relevance."""

from __future__ import annotations

from dataclasses import dataclass, field

from workbench.patterns import expression
from workbench.patterns.attributes import FEATURE, Known, known
from workbench.patterns.expression import Value
from workbench.patterns.lexicon import Lexicon
from workbench.patterns.mistake import mistake
from workbench.patterns.tree import Attribute, Call
from workbench.store.literal import quoted

#: What is reckoned from all words of an explained text.
TEXTS = """SELECT explanation, count(*) AS words, min(word) AS first, max(word) - min(word) + 1 AS span,
  arg_max(word, (relevance, -word)) AS strongest, sum(abs(relevance::DOUBLE)) AS total
FROM word_relevance WHERE kind = 'word' GROUP BY explanation"""


@dataclass(frozen=True, slots=True)
class Source:
    """The rows that a pattern is matched against; `chosen` holds values that their columns must have, `run` the run they came from."""

    relevance: bool = True
    chosen: tuple[tuple[str, str], ...] = ()
    run: int | None = None

    @property
    def table(self) -> str:
        """The view to read."""
        return "word_relevance" if self.relevance else "words"

    @property
    def key(self) -> tuple[str, ...]:
        """Columns that the words of one text share."""
        return ("explanation",) if self.relevance else ("document", "role")

    def conditions(self, alias: str, *, first: bool = False) -> list[str]:
        """SQL conditions on the rows of an alias; those on the explanation stand at the first word of a match alone."""
        found = [f"{alias}.{column} = {quoted(value)}" for column, value in self.chosen]
        return [*found, of_run(alias, self.run)] if first and self.run is not None else found


def of_run(alias: str, run: int) -> str:
    """SQL that is true for rows whose explanation came from a run."""
    came = f"SELECT e.explanation FROM explanations e JOIN batches b ON b.batch = e.batch WHERE b.run = {run:d}"
    return f"{alias}.explanation IN ({came})"


@dataclass(slots=True)
class Row:
    """One word of a match under an SQL alias; what it is asked for decides which tables are joined to it."""

    alias: str
    source: Source
    text: str
    lexicon: Lexicon | None
    joined: set[str] = field(default_factory=set)

    def attribute(self, attribute: Attribute) -> Value:
        """The value of an attribute of this word."""
        if attribute.owner is not None:
            raise mistake(self.text, attribute.place, "a capture inside brackets", "compare captures behind the pattern, after ::")
        return self.value(known(self.text, attribute), attribute)

    def value(self, what: Known, attribute: Attribute) -> Value:
        """The SQL of a known attribute."""
        if not self.source.relevance and not what.everywhere:
            lacking = f"relevance, which {what.name} needs" if what.home == "text" else what.name
            raise mistake(self.text, attribute.place, f"the store has no {lacking}", "explain the corpus first: workbench run")
        if what.kind == "lexicon":
            if self.lexicon is None:
                remedy = "give one: find(…, lexicon=…), or --lexicon FILE with a term, a tab and a category on each line"
                raise mistake(self.text, attribute.place, "no lexicon comes with the query", remedy)
            form, lemma = (expression.term(f"{self.alias}.{column}", self.lexicon) for column in ("form", "lemma"))
            return Value(form, "lexicon", lemma)
        column = self.column(what)
        if what is FEATURE:
            name = attribute.name.replace("[", r"\[").replace("]", r"\]")
            wanted = quoted(rf"(?:^|\|){name}=([^|]*)")
            return Value(f"nullif(regexp_extract({column}, {wanted}, 1), '')", "text")
        return Value(column, what.kind)

    def column(self, what: Known) -> str:
        """The column of an attribute, with its table joined."""
        if what.home == "relevance" or (what.home == "word" and not self.source.relevance):
            return f"{self.alias}.{what.column}"
        self.joined.add(what.home)
        if what.home == "text":
            return f"({what.column.format(w=self.alias, t=f'{self.alias}t')})"
        return f"{self.alias}{'x' if what.home == 'word' else 'd'}.{what.column}"

    def call(self, call: Call) -> Value:
        """A word alone has no functions but abs."""
        raise mistake(self.text, call.place, f"{call.name} is no function of a word", "inside brackets there is abs(…) alone")

    def joins(self) -> list[str]:
        """The tables to join to this word."""
        found, alias = [], self.alias
        if "word" in self.joined:
            same = " AND ".join(f"{alias}x.{column} = {alias}.{column}" for column in ("document", "role", "word"))
            found.append(f"JOIN words AS {alias}x ON {same}")
        if "text" in self.joined:
            found.append(f"JOIN ({TEXTS}) AS {alias}t ON {alias}t.explanation = {alias}.explanation")
        if "document" in self.joined:
            found.append(f"JOIN documents AS {alias}d ON {alias}d.document = {alias}.document")
        return found
