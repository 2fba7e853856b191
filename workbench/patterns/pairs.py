"""Patterns on the two texts of a pair as SQL over their interactions.

A word on each side is a row of `interactions` with the annotation of both its ends. A sequence on either side is found in its own text
first; its interaction with the other side is the sum of the cells between them that are kept.
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench.patterns import tree
from workbench.patterns.captures import MATCH, Captures, Constraint, named
from workbench.patterns.choice import PAIR, Choice
from workbench.patterns.expression import Value, truth
from workbench.patterns.lexicon import Lexicon
from workbench.patterns.mistake import mistake
from workbench.patterns.paths import Expressions, apart
from workbench.patterns.sides import Side
from workbench.patterns.source import Source, of_run
from workbench.patterns.tree import Attribute, Call, Capture, Pair, Pattern, Query, Word
from workbench.patterns.words import Words, has_no_end
from workbench.store.literal import quoted

#: Roles of a pair where no store says which.
ROLES = f"text_a{PAIR}text_b"
#: What a whole pair has: attributes of `match`.
OF_MATCH = ("relevance", "similarity", "judged")
OF_DOCUMENT = ("label", "split", "corpus", "identifier")


def hits(query: Query, pattern: Pair, choice: Choice, lexicon: Lexicon | None, captures: Captures, expressions: Expressions) -> str:
    """All matches of a pair as one SELECT: explanation, document, the words on the left and on the right, their interaction."""
    left, right = single(pattern.left), single(pattern.right)
    if left is not None and right is not None:
        return of_words(query, choice, lexicon, (left, right), (pattern.left, pattern.right))
    return of_sequences(query, pattern, choice, lexicon, captures, expressions)


def single(pattern: Pattern) -> Word | None:
    """The word that a side is, None where it is more."""
    inner = pattern.body if isinstance(pattern, Capture) else pattern
    return inner if isinstance(inner, Word) else None


def of_words(query: Query, choice: Choice, lexicon: Lexicon | None, words: tuple[Word, Word], patterns: tuple[Pattern, Pattern]) -> str:
    """Matches of a word on each side."""
    roles = (choice.role or ROLES).split(PAIR)
    sides = [Side(name, role, query.text, lexicon) for name, role in zip(("left", "right"), roles, strict=True)]
    where = ["i.left_word IS NOT NULL", "i.right_word IS NOT NULL", *chosen(choice)]
    for word, side in zip(words, sides, strict=True):
        if word.condition is not None:
            where.append(truth(word.condition, side))
    names = [pattern.name if isinstance(pattern, Capture) else None for pattern in patterns]
    if query.constraint is not None:
        of_side = {name: side for name, side in zip(names, sides, strict=True) if name is not None}
        where.append(truth(query.constraint, Between(query, of_side, sides[0])))
    elif all(word.condition is None for word in words):
        raise mistake(query.text, 0, "the pattern matches every pair of words", "say something of a word, or :: interaction(a, b) > 0.05")
    columns = ["i.explanation", "i.document", "i.left_word AS match_start", "i.left_word AS match_end"]
    columns += ["i.right_word AS right_start", "i.right_word AS right_end", "i.relevance::DOUBLE AS relevance", "i.similarity"]
    for name, end in zip(names, ("left", "right"), strict=True):
        columns += [f'i.{end}_word AS "{name}.{what}"' for what in ("start", "end")] if name else []
    joins = [join for side in sides for join in side.joins()]
    lines = [f"SELECT {', '.join(columns)}", "FROM interactions i", *dict.fromkeys(joins), f"WHERE {' AND '.join(where)}"]
    return "\n".join(lines)


def chosen(choice: Choice) -> list[str]:
    """SQL conditions on the interactions of a choice."""
    found = [f"i.{column} = {quoted(value)}" for column, value in choice.source.chosen if column != "role"]
    if roles := [value for column, value in choice.source.chosen if column == "role"]:
        found.append(f"i.explanation IN (SELECT explanation FROM explanations WHERE role = {quoted(roles[0])})")
    return [*found, of_run("i", choice.source.run)] if choice.source.run is not None else found


@dataclass(frozen=True, slots=True)
class Between:
    """The scope of a constraint between a word on the left and a word on the right."""

    query: Query
    sides: dict[str, Side]
    first: Side
    lexicon: Lexicon | None = None

    @property
    def text(self) -> str:
        """The pattern."""
        return self.query.text

    def attribute(self, attribute: Attribute) -> Value:
        """An attribute of a captured word, or of the pair."""
        if attribute.owner in self.sides:
            return self.sides[attribute.owner].attribute(Attribute(None, attribute.name, attribute.place))
        check_owner(self.query, attribute, list(self.sides))
        if attribute.name == "matched":
            return Value("i.matched", "text")
        if attribute.name == "judged":
            self.first.joined.add("pair")
            return Value("ip.judged", "number")
        if attribute.name in OF_MATCH:
            return Value(f"i.{attribute.name}", "real" if attribute.name == "relevance" else "number")
        if attribute.name in OF_DOCUMENT:
            return self.first.attribute(Attribute(None, attribute.name, attribute.place))
        raise no_attribute(self.query, attribute)

    def call(self, call: Call) -> Value:
        """What lies between the two words."""
        if call.name not in ("interaction", "matched"):
            raise mistake(
                self.text, call.place, f"{call.name} is no function of a pair", "there are interaction(a, b), matched(a, b) and abs(…)"
            )
        names = named(self.text, call, dict.fromkeys(self.sides, 1))
        if set(names) != set(self.sides) or len(set(names)) != 2:
            raise mistake(self.text, call.place, f"{call.name} within one text", f"give a name of each text: {call.name}(a, b)")
        return Value("i.relevance", "real") if call.name == "interaction" else Value("i.matched", "text")


def check_owner(query: Query, attribute: Attribute, names: list[str]) -> None:
    """InputError for an attribute of nobody."""
    if attribute.owner not in (None, MATCH):
        known = ", ".join(names) or "none; write a:[…] for a name"
        raise mistake(query.text, attribute.place, f"no capture is called {attribute.owner}", f"captures here: {known}")


def no_attribute(query: Query, attribute: Attribute) -> Exception:
    """The error for what a pair has not."""
    known = ", ".join((*OF_MATCH, "matched", *OF_DOCUMENT))
    return mistake(query.text, attribute.place, f"{attribute.name} is no attribute of a pair", f"write a.{attribute.name}, or use {known}")


def of_sequences(query: Query, pattern: Pair, choice: Choice, lexicon: Lexicon | None, captures: Captures, expressions: Expressions) -> str:
    """Matches of a sequence on a side: each side's own matches, and the cells between them."""
    roles = (choice.role or ROLES).split(PAIR)
    columns = ["i.explanation", "i.document", "l.match_start", "l.match_end", "r.match_start AS right_start", "r.match_end AS right_end"]
    columns += ["sum(i.relevance::DOUBLE) AS relevance", "i.similarity"]
    needed = []
    for alias, role, side in zip("lr", roles, (pattern.left, pattern.right), strict=True):
        mine = {capture.name for capture in tree.captures(side)}
        own = Captures(query, tuple(name for name in captures.names if name in mine),
                       tuple(wanted for wanted in captures.wanted if wanted.capture in mine), captures.longest)  # fmt: skip
        given = {"role": role, "model": choice.model, "composite": choice.composite}  # texts may have been explained by others too
        source = Source(chosen=tuple((column, value) for column, value in given.items() if value is not None))
        sentence = query.within == "sentence" or (query.within is None and has_no_end(side))
        paths = Words(query.text, source, lexicon, own, expressions, sentence, late=True).paths(side)
        names = [f'"{name}.{end}"' for name in own.names for end in ("start", "end")] + [wanted.column for wanted in own.wanted]
        shown = ["document", "first_word AS match_start", "last_word AS match_end", *names]
        inner = ("\nUNION ALL\n" if apart(paths) else "\nUNION\n").join(
            path.select(["document", "first_word", "last_word", *names]) for path in paths
        )
        expressions.parts.append(f"{alias} AS MATERIALIZED (\nSELECT DISTINCT {', '.join(shown)} FROM (\n{inner}\n))")
        columns += [f"{alias}.{name}" for name in names]
        needed += names
    scope = Sums(query, captures, {capture.name for capture in tree.captures(pattern.left)})
    condition = truth(query.constraint, scope) if query.constraint is not None else ""
    columns += [f'coalesce(sum(i.relevance::DOUBLE) FILTER (WHERE {cells}), 0) AS "{name}"' for name, cells in scope.sums.items()]
    columns += [f"any_value(ip.{name}) AS {name}" for name in ("judged", *OF_DOCUMENT)]
    lines = [
        f"SELECT {', '.join(columns)}",
        "FROM interactions i",
        "JOIN l ON l.document = i.document AND i.left_word BETWEEN l.match_start AND l.match_end",
        "JOIN r ON r.document = i.document AND i.right_word BETWEEN r.match_start AND r.match_end",
        "JOIN pairs ip ON ip.explanation = i.explanation",
        *([f"WHERE {' AND '.join(chosen(choice))}"] if chosen(choice) else []),
        "GROUP BY ALL",
    ]
    return f"SELECT * FROM (\n{chr(10).join(lines)}\n)" + (f"\nWHERE {condition}" if condition else "")


class Sums:
    """The scope of a constraint between sequences; `sums` collects the interactions it asks for."""

    lexicon: Lexicon | None = None

    def __init__(self, query: Query, captures: Captures, left: set[str]) -> None:
        self.query, self.text, self.left, self.captures = query, query.text, left, captures
        self.sums: dict[str, str] = {}

    def attribute(self, attribute: Attribute) -> Value:
        """An attribute of a capture, or of the pair."""
        if attribute.owner in self.captures.names:
            return Constraint(self.captures, self.text).attribute(attribute)
        check_owner(self.query, attribute, list(self.captures.names))
        if attribute.name in OF_MATCH:
            return Value(attribute.name, "number")
        if attribute.name in OF_DOCUMENT:
            return Value(attribute.name, "text")
        raise no_attribute(self.query, attribute)

    def call(self, call: Call) -> Value:
        """The interaction between two captures, one of each text."""
        if call.name != "interaction":
            raise mistake(
                self.text, call.place, f"{call.name} is no function here", "between sequences there are interaction(a, b) and abs(…)"
            )
        first, second = named(self.text, call, dict.fromkeys(self.captures.names, 1))
        if (first in self.left) == (second in self.left):
            raise mistake(self.text, call.place, "interaction within one text", "give a name of each text: interaction(a, b)")
        left, right = (first, second) if first in self.left else (second, first)
        name = f"interaction.{left}.{right}"
        self.sums[name] = " AND ".join(
            f'i.{end}_word BETWEEN {alias}."{capture}.start" AND {alias}."{capture}.end"'
            for end, alias, capture in (("left", "l", left), ("right", "r", right))
        )
        return Value(f'"{name}"', "number")


def finished(ctes: list[str], hits_sql: str, names: tuple[str, ...], order: str, limit: int) -> str:
    """The statement that counts the matches and shows the first of them."""
    places = [f'"{name}.start"' for name in names]
    by = ["document", "explanation", "match_start", "match_end", "right_start", "right_end", *places]
    by = ["relevance DESC", *by] if order == "relevance" else by
    cut = f" LIMIT {limit}" if limit else ""
    ends = ["match_start", "match_end", "right_start", "right_end", "relevance", "similarity"]
    columns = ["document", *ends, *(f'"{name}.{end}"' for name in names for end in ("start", "end"))]
    shown = f"shown AS MATERIALIZED (SELECT * FROM hits ORDER BY {', '.join(by)}{cut})"
    others = "d.corpus, d.identifier, e.role, e.target, h.explanation, (SELECT count(*) FROM hits) AS total"
    lines = [
        "WITH " + ",\n".join([*ctes, f"hits AS MATERIALIZED (\n{hits_sql}\n)", shown]),
        f"SELECT {', '.join('h.' + name for name in columns)}, {others}",
        "FROM shown h JOIN documents d ON d.document = h.document JOIN explanations e ON e.explanation = h.explanation",
        "ORDER BY " + ", ".join("h." + part for part in by),
    ]
    return "\n".join(lines)
