"""What is counted: words, lemmas, parts of speech, relations, features, entities, lexicon categories, or several in a row, as SQL rows.

A row of `item_row` is one occurrence: document, unit, side, item, relevance. A row of `base` is one word (or one sequence of n words), with
an item or without: shares are of all of these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workbench.errors import InputError
from workbench.patterns.lexicon import Given, Lexicon, read
from workbench.store.literal import quoted

FORM, LEMMA = "nfc_normalize({0}.form)", "nfc_normalize(coalesce({0}.lemma, {0}.form))"
#: What a word can be counted as, as SQL over the aliases w (word with relevance) and x (all that is known of the word).
WHAT: Mapping[str, str] = {
    "form": FORM, "lemma": LEMMA, "upos": "{0}.upos", "xpos": "{0}x.xpos", "relation": "{0}.relation", "entity": "{0}x.entity",
    "feature": "{0}x.features", "lexicon": "",
}  # fmt: skip
NAMES: Mapping[str, tuple[str, str]] = {
    "form": ("form", "forms"), "lemma": ("lemma", "lemmas"), "upos": ("part of speech", "parts of speech"), "xpos": ("tag", "tags"),
    "relation": ("dependency relation", "dependency relations"), "entity": ("type of entity", "types of entities"),
    "feature": ("morphological feature", "morphological features"), "lexicon": ("category", "categories"),
}  # fmt: skip
LONGEST = 5
#: Relevance of an occurrence as it is added up: what speaks for, what speaks against, the size, the sum with its sign.
MEASURES: Mapping[str, str] = {
    "positive": "greatest({0}, 0)", "negative": "greatest(-{0}, 0)", "absolute": "abs({0})", "signed": "{0}",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Items:
    """What is counted: `what`, in sequences of `n` words; text without case unless `case` is set, signs unless `punctuation` left out."""

    what: str = "lemma"
    n: int = 1
    lexicon: Lexicon | None = None
    punctuation: bool = False
    case: bool = False

    @property
    def name(self) -> str:
        """One item in words: lemma, sequence of 3 parts of speech."""
        return NAMES[self.what][0] if self.n == 1 else f"sequence of {self.n} {NAMES[self.what][1]}"

    @property
    def plural(self) -> str:
        """Several items in words."""
        return NAMES[self.what][1] if self.n == 1 else f"sequences of {self.n} {NAMES[self.what][1]}"

    def expression(self, alias: str) -> str:
        """The item of the word under an alias."""
        text = WHAT[self.what].format(alias)
        return f"lower({text})" if self.what in ("form", "lemma") and not self.case else text

    @property
    def view(self) -> str:
        """The words that an item is counted on, as tables of which the first stands under the alias w."""
        joins = ["word_relevance w"]
        for place, alias in enumerate(self.aliases):
            if place:
                joins.append(f"JOIN word_relevance {alias} ON {following(alias, 'w', place)}")
            if f"{alias}x." in self.expression(alias):
                joins.append(f"LEFT JOIN words {alias}x ON {known(alias)}")
        return " ".join(joins)

    @property
    def aliases(self) -> list[str]:
        """The aliases of the words of one item."""
        return ["w", *(f"w{place}" for place in range(1, self.n))]

    def condition(self, item: str) -> str:
        """SQL that is true for the words of an item; `item` is SQL."""
        words = " AND ".join(f"{alias}.kind = 'word'" for alias in self.aliases)
        if self.what == "lexicon" and self.lexicon is not None:
            rows = ", ".join(f"(lower({quoted(term)}), {quoted(category)})" for term, category in self.lexicon.entries)
            terms = f"SELECT term FROM (VALUES {rows}) t(term, category) WHERE category = {item}"
            return f"{words} AND (lower({LEMMA.format('w')}) IN ({terms}) OR lower({FORM.format('w')}) IN ({terms}))"
        if self.what == "feature":
            return f"{words} AND list_contains(string_split({self.expression('w')}, '|'), {item})"
        return f"{words} AND {self.joined} = {item}"

    @property
    def joined(self) -> str:
        """The item of words in a row."""
        return " || ' ' || ".join(map(self.expression, self.aliases))

    @property
    def columns(self) -> str:
        """The columns from which the table expressions of `rows` take items."""
        if self.what == "lexicon":
            return f"NULL AS item, lower({FORM.format('w')}) AS form, lower({LEMMA.format('w')}) AS lemma"
        return f"{self.joined} AS item"

    def condition_of_words(self, *aliases: str) -> str:
        """SQL that is true for words that count."""
        signs = "" if self.punctuation else " AND coalesce({0}.upos, '') NOT IN ('PUNCT', 'SYM')"
        counts = "{0}.kind = 'word' AND coalesce({0}.upos, '') <> 'SPACE'" + signs
        return " AND ".join(counts.format(alias) for alias in aliases or ("w",))

    def sql(self, chosen: str) -> str:
        """Table expressions up to `base` and `item_row`, from those that end in `chosen`."""
        relevance = " + ".join(f"{alias}.relevance::DOUBLE" for alias in self.aliases)
        base = f"""base AS (
    SELECT c.document, c.unit, c.side, {relevance} AS relevance, {self.columns}
    FROM {self.view} JOIN chosen c ON c.explanation = w.explanation
    WHERE {self.condition_of_words(*self.aliases)}
)"""
        return ",\n".join([chosen, base, *self.rows()])

    def rows(self) -> list[str]:
        """The table expressions of single occurrences."""
        if self.what == "lexicon" and self.lexicon is not None:
            return [
                self.lexicon.sql,
                """term AS MATERIALIZED (
    SELECT DISTINCT lower(term) AS term, category FROM lexicon
), item_row AS (
    SELECT b.document, b.unit, b.side, t.category AS item, b.relevance FROM base b JOIN term t ON t.term = b.lemma
    UNION ALL
    SELECT b.document, b.unit, b.side, t.category, b.relevance FROM base b JOIN term t ON t.term = b.form
    WHERE NOT EXISTS (SELECT 1 FROM term o WHERE o.term = b.lemma AND o.category = t.category)
)""",
            ]
        if self.what == "feature":
            row = "SELECT document, unit, side, unnest(string_split(item, '|')) AS item, relevance FROM base WHERE item IS NOT NULL"
        else:
            row = "SELECT document, unit, side, item, relevance FROM base WHERE item IS NOT NULL"
        return [f"item_row AS (\n    {row}\n)"]


def following(alias: str, first: str, place: int) -> str:
    """SQL that is true for the word so many places behind another one of its sentence."""
    there = f"{alias}.explanation = {first}.explanation AND {alias}.word = {first}.word + {place}"
    return f"{there} AND {alias}.sentence IS NOT DISTINCT FROM {first}.sentence"


def known(alias: str) -> str:
    """SQL that joins a word with relevance to all that is known of the word."""
    return " AND ".join(f"{alias}x.{column} = {alias}.{column}" for column in ("document", "role", "word"))


def items(
    what: str = "lemma", n: int = 1, *, lexicon: Given | None = None, punctuation: bool = False, case: bool = False, asked: str = "count"
) -> Items:
    """What is to be counted; InputError for what cannot be."""
    if what not in WHAT:
        raise InputError(asked, f"no {what!r} of a word", f"count one of {', '.join(WHAT)}")
    if not 1 <= n <= LONGEST:
        raise InputError(asked, f"sequences of {n} words", f"count 1 to {LONGEST} words in a row")
    if n > 1 and what in ("lexicon", "feature"):
        raise InputError(asked, f"sequences of {n} {what}s", f"count single ones, or sequences of {', '.join(list(WHAT)[:6])}")
    terms = read(lexicon)
    if (what == "lexicon") != (terms is not None):
        found = "no lexicon" if terms is None else f"a lexicon that counting by {what} does not use"
        raise InputError(asked, found, "give both: what=lexicon and a lexicon, a file of term, tab and category on each line")
    return Items(what, n, terms, punctuation or (what in ("upos", "xpos", "relation") and n == 1), case)


def measure(name: str, relevance: str, asked: str = "count") -> str:
    """SQL of the relevance that counts; InputError for another measure."""
    if name not in MEASURES:
        raise InputError(asked, f"no measure {name!r}", f"use one of {', '.join(MEASURES)}")
    return MEASURES[name].format(relevance)
