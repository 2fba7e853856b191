"""What is counted: words, lemmas, parts of speech, relations, features, entities, lexicon categories, or several in a row, as SQL rows.

A row of `item_row` is one occurrence: document, unit, side, item, relevance. A row of `base` is one word (or one sequence of n words), with
an item or without: shares are of all of these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workbench.errors import InputError
from workbench.patterns.lexicon import Given, Lexicon, read

FORM, LEMMA = "nfc_normalize({0}.form)", "nfc_normalize(coalesce({0}.lemma, {0}.form))"
#: What a word can be counted as, as SQL over the aliases w (word with relevance) and x (all that is known of the word).
WHAT: Mapping[str, str] = {
    "form": FORM, "lemma": LEMMA, "upos": "{0}.upos", "xpos": "{0}x.xpos", "relation": "{0}.relation", "entity": "{0}x.entity",
    "feature": "{0}x.features", "lexicon": "",
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
        """One item in words: lemma, sequence of 3 upos."""
        kind = "lexicon category" if self.what == "lexicon" else self.what
        return kind if self.n == 1 else f"sequence of {self.n} {kind}s" if kind != "upos" else f"sequence of {self.n} parts of speech"

    def expression(self, alias: str) -> str:
        """The item of the word under an alias."""
        text = WHAT[self.what].format(alias)
        return f"lower({text})" if self.what in ("form", "lemma") and not self.case else text

    def sql(self, chosen: str) -> str:
        """Table expressions up to `base` and `item_row`, from those that end in `chosen`."""
        aliases = [f"w{place}" for place in range(self.n)]
        joins = ["FROM word_relevance w0 JOIN chosen c ON c.explanation = w0.explanation"]
        conditions = []
        for place, alias in enumerate(aliases):
            if place:
                joins.append(
                    f"JOIN word_relevance {alias} ON {alias}.explanation = w0.explanation AND {alias}.word = w0.word + {place} "
                    f"AND {alias}.sentence IS NOT DISTINCT FROM w0.sentence"
                )
            if f"{alias}x." in self.expression(alias):
                same = " AND ".join(f"{alias}x.{column} = {alias}.{column}" for column in ("document", "role", "word"))
                joins.append(f"LEFT JOIN words {alias}x ON {same}")
            conditions.append(f"{alias}.kind = 'word'")
            signs = "" if self.punctuation else " AND coalesce({0}.upos, '') NOT IN ('PUNCT', 'SYM')"
            conditions.append(f"coalesce({alias}.upos, '') <> 'SPACE'{signs.format(alias)}")
        relevance = " + ".join(f"{alias}.relevance::DOUBLE" for alias in aliases)
        item = " || ' ' || ".join(self.expression(alias) for alias in aliases) if self.what != "lexicon" else "NULL"
        spelled = f", lower({FORM.format('w0')}) AS form, lower({LEMMA.format('w0')}) AS lemma" if self.what == "lexicon" else ""
        lines = "\n    ".join(joins)
        base = f"""base AS (
    SELECT c.document, c.unit, c.side, {relevance} AS relevance, {item} AS item{spelled}
    {lines}
    WHERE {" AND ".join(conditions)}
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
