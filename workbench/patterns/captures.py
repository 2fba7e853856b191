"""What a constraint asks of captures, and the constraint as SQL over the columns that answer it."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.patterns import tree
from workbench.patterns.attributes import Known, known
from workbench.patterns.expression import Value
from workbench.patterns.lexicon import Lexicon
from workbench.patterns.mistake import mistake
from workbench.patterns.tree import Arcs, Attribute, Call, Capture, Pair, Pattern, Query

#: The capture that every match has: all of it.
MATCH = "match"
#: Columns of hits: no capture is called so.
RESERVED = frozenset({
    "document", "corpus", "identifier", "role", "explained", "sentence", "relevance", "match", "explanation", "target", "total", "left",
    "right", "hit", "label", "model", "composite", "similarity", "matched", "within",
})  # fmt: skip
TYPES = {"text": "VARCHAR", "real": "DOUBLE", "number": "INTEGER"}
#: What several words have together: sums, and what all words of a text share.
SUMMED = ("relevance", "sensitivity")


@dataclass(frozen=True, slots=True)
class Wanted:
    """An attribute of a capture that the constraint needs, and the column that carries it."""

    capture: str
    attribute: Attribute
    what: Known

    @property
    def column(self) -> str:
        """The column that carries it."""
        return f'"{self.capture}.{self.attribute.name}"'

    @property
    def type(self) -> str:
        """Its SQL type."""
        return TYPES[self.what.kind]


@dataclass(frozen=True, slots=True)
class Captures:
    """The captures of a pattern and what its constraint needs of them."""

    query: Query
    names: tuple[str, ...]
    wanted: tuple[Wanted, ...]
    longest: dict[str, int]

    def of(self, name: str) -> list[Wanted]:
        """What the constraint needs of one capture."""
        return [wanted for wanted in self.wanted if wanted.capture == name]

    @property
    def whole(self) -> bool:
        """Whether the constraint asks for something of the whole match."""
        return any(wanted.capture == MATCH for wanted in self.wanted)


def gather(query: Query, unbounded: int) -> Captures:
    """The captures of a pattern; InputError for names twice, reserved or inside a repetition, and for attributes that are not there."""
    found = tree.captures(query.body)
    check_names(query, found)
    longest = {capture.name: tree.span(capture.body, unbounded)[1] for capture in found}
    longest[MATCH] = 1 if isinstance(query.body, tree.Word) else 2
    wanted: dict[tuple[str, str], Wanted] = {}
    for attribute in asked(query):
        capture = attribute.owner or MATCH
        if capture == MATCH and isinstance(query.body, Pair):
            continue  # the room of pairs answers for a whole pair
        if capture not in longest:
            names = ", ".join(dict.fromkeys(capture.name for capture in found)) or "none; write a:[…] for a name"
            raise mistake(query.text, attribute.place, f"no capture is called {capture}", f"captures here: {names}")
        if attribute.name in ("length", "start", "end"):
            continue
        what = known(query.text, attribute)
        check_single(query, attribute, what, longest[capture])
        wanted[capture, attribute.name] = Wanted(capture, attribute, what)
    return Captures(query, tuple(dict.fromkeys(capture.name for capture in found)), tuple(wanted.values()), longest)


def asked(query: Query) -> list[Attribute]:
    """The attributes that a constraint asks for, those that its functions need included."""
    found = []
    for attribute in tree.attributes(query.constraint) if query.constraint else []:
        if attribute.owner is None and (attribute.name in tree_names(query) or attribute.name == MATCH):
            continue  # an argument of a function
        if attribute.owner is None and not isinstance(query.body, Pair) and not known(query.text, attribute).of_document:
            remedy = f"say whose: a.{attribute.name}, or match.{attribute.name} for all of the match"
            raise mistake(query.text, attribute.place, f"{attribute.name} of which capture?", remedy)
        found.append(attribute)
    return found


def tree_names(query: Query) -> set[str]:
    """Names of all captures."""
    return {capture.name for capture in tree.captures(query.body)}


def check_names(query: Query, found: list[Capture]) -> None:
    """InputError for a capture that cannot be called so."""
    for number, capture in enumerate(found):
        name = capture.name
        if not (name.isascii() and name.isalnum()):
            raise mistake(query.text, capture.place, f"{name} cannot be a name", "use letters and digits alone")
        if name.lower() in RESERVED:
            raise mistake(query.text, capture.place, f"{name} is the name of a column already", "use another, for example a")
        if any(other.name != name and other.name.lower() == name.lower() for other in found[:number]):
            raise mistake(query.text, capture.place, f"{name} and another name differ in case alone", "use different letters")
    parts = [query.body.left, query.body.right] if isinstance(query.body, Pair) else [query.body]
    seen: set[str] = set()
    for part in parts:
        names = at_most_once(query, part)
        if twice := seen & names:
            raise mistake(query.text, found[-1].place, f"{min(twice)} names two parts", "use different names")
        seen |= names


def at_most_once(query: Query, pattern: Pattern | Arcs) -> set[str]:
    """The captures of a pattern; InputError where a match could have two of one name."""
    if isinstance(pattern, tree.Word):
        return set()
    if isinstance(pattern, tree.Alternation):
        return set().union(*(at_most_once(query, option) for option in pattern.options))
    if isinstance(pattern, tree.Repetition):
        inside = at_most_once(query, pattern.body)
        if inside and pattern.most != 1:
            remedy = f"put the name in front of all of it: {min(inside)}:(…){query.text[pattern.place : pattern.place + 1]}"
            raise mistake(query.text, pattern.place, f"{min(inside)} is captured inside a repetition", remedy)
        return inside
    if isinstance(pattern, Capture):
        inside = at_most_once(query, pattern.body)
        parts, place = [{pattern.name}, inside], pattern.place
    else:
        members = pattern.words if isinstance(pattern, Arcs) else pattern.parts
        parts, place = [at_most_once(query, part) for part in members], 0
    seen: set[str] = set()
    for names in parts:
        if twice := seen & names:
            places = [capture.place for capture in tree.captures(pattern) if capture.name == min(twice)]
            raise mistake(query.text, places[-1] if places else place, f"{min(twice)} names two parts", "use different names")
        seen |= names
    return seen


def check_single(query: Query, attribute: Attribute, what: Known, longest: int) -> None:
    """InputError for an attribute that several words do not have together."""
    if what.kind == "lexicon":
        raise mistake(query.text, attribute.place, "a lexicon is asked inside brackets", 'write a:[lexicon="…"]')
    if longest > 1 and what.name not in (*SUMMED, "index", "sentence") and not what.of_document:
        remedy = "name one word; several together have relevance, sensitivity, index, length and sentence"
        raise mistake(query.text, attribute.place, f"{attribute.owner} may be several words", remedy)


@dataclass(frozen=True, slots=True)
class Constraint:
    """The scope of a constraint: captures as columns of the match."""

    captures: Captures
    text: str
    lexicon: Lexicon | None = None

    def attribute(self, attribute: Attribute) -> Value:
        """The value of an attribute of a capture."""
        name = attribute.owner or MATCH
        if attribute.owner is None and attribute.name in self.captures.longest:
            raise mistake(
                self.text, attribute.place, f"which attribute of {attribute.name}?", f"write, for example, {attribute.name}.relevance"
            )
        start, end = ("match_start", "match_end") if name == MATCH else (f'"{name}.start"', f'"{name}.end"')
        if attribute.name == "length":
            return Value(f"({end} - {start} + 1)", "number")
        if attribute.name in ("start", "end"):
            return Value(start if attribute.name == "start" else end, "number")
        wanted = next(wanted for wanted in self.captures.wanted if (wanted.capture, wanted.attribute.name) == (name, attribute.name))
        kind = wanted.what.kind
        if kind == "real" and self.captures.longest[name] > 1:
            kind = "number"  # a sum
        return Value(wanted.column, kind)

    def call(self, call: Call) -> Value:
        """Functions of captures."""
        if call.name != "distance":
            between = "interaction(a, b) belongs between the two texts of a pair: a:[…] ~> b:[…]; " if call.name == "interaction" else ""
            raise mistake(self.text, call.place, f"{call.name} is no function here", f"{between}there are distance(a, b) and abs(…)")
        first, second = named(self.text, call, self.captures.longest)
        return Value(f'abs("{second}.start" - "{first}.start")', "number")


def named(text: str, call: Call, names: dict[str, int]) -> tuple[str, str]:
    """The two captures that a function is given."""
    found = [part.name for part in call.arguments if isinstance(part, Attribute) and part.owner is None and part.name in names]
    if len(call.arguments) != 2 or len(found) != 2 or MATCH in found:
        known_names = ", ".join(name for name in names if name != MATCH) or "none; write a:[…] for a name"
        raise mistake(text, call.place, f"{call.name} takes two captures", f"write {call.name}(a, b); captures here: {known_names}")
    return found[0], found[1]
