"""From the parser's tree to the parts of a pattern."""

from __future__ import annotations

from typing import Any as Anything
from typing import cast

from lark import Token, Transformer, v_args
from lark.tree import Meta

from workbench.patterns import tree
from workbench.patterns.mistake import mistake
from workbench.patterns.tree import Arc, Arcs, Capture, Expression, Pair, Pattern, Query, Repetition, Scope, Word

SCOPES: dict[str, Scope] = {"sentence": "sentence", "s": "sentence", "document": "document", "text": "document"}
FLAGS = "cdl"
MOST = 50


@v_args(meta=True)
class Builder(Transformer[Token, Anything]):
    """One method for each rule of the grammar: `meta` is its place, `parts` what its parts became."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def start(self, _meta: Meta, parts: list[Anything]) -> Query:
        """A whole pattern."""
        scope = next((part for part in parts[1:] if isinstance(part, str)), None)
        constraint = next((part for part in parts[1:] if part is not None and not isinstance(part, str)), None)
        return Query(self.text, parts[0], cast("Scope | None", scope), constraint)

    def within(self, _meta: Meta, parts: list[Token]) -> Scope:
        """The scope of a match."""
        name = parts[0].strip("<>/ ")
        if name not in SCOPES:
            raise mistake(self.text, parts[0].start_pos or 0, f"{name} is no scope", "write within sentence, or within document")
        return SCOPES[name]

    def constraint(self, _meta: Meta, parts: list[Expression]) -> Expression:
        """What captures must meet."""
        return parts[0]

    def pair(self, meta: Meta, parts: list[Pattern]) -> Pair:
        """Two patterns, one for each text of a pair."""
        return Pair(parts[0], parts[1], meta.start_pos)

    def arcs(self, meta: Meta, parts: list[Anything]) -> Arcs:
        """Words along arcs: each arc starts at the word before it, after a semicolon at the first word."""
        words = [self.single(parts[0], meta.start_pos)]
        found: list[Arc] = []
        for again, arrow, pattern in parts[1:]:
            words.append(self.single(pattern, arrow.start_pos + len(arrow)))
            source, last = 0 if again else len(words) - 2, len(words) - 1
            if not again and found and found[-1].absent:
                source = found[-1].head if found[-1].dependent == source else found[-1].dependent
            head, dependent = (source, last) if arrow.type == "ARROW_RIGHT" else (last, source)
            arc = Arc(head, dependent, self.relation(arrow), arrow.startswith("!"), arrow.start_pos)
            if arc.absent and isinstance(words[-1], Capture):
                raise mistake(self.text, words[-1].place, f"{words[-1].name} would name a word that is not there", "leave the name out")
            found.append(arc)
        return Arcs(tuple(words), tuple(found))

    def single(self, pattern: Pattern, place: int) -> Word | Capture:
        """A pattern that is one word, for an arc to join."""
        inner = pattern.body if isinstance(pattern, Capture) else pattern
        if not isinstance(inner, Word):
            raise mistake(self.text, place, "an arc joins single words", 'put one word on each side: [upos="VERB"] -nsubj-> a:[]')
        return cast("Word | Capture", pattern)

    def relation(self, arrow: Token) -> tree.Text | tuple[str, ...] | None:
        """The relation that an arrow names."""
        name = arrow.strip("!<>").removeprefix("-").removesuffix("-")
        if name[:1] == '"':
            return tree.Text(unquoted(name), "", arrow.start_pos or 0)
        return tuple(name.split("|")) if name else None

    def link(self, _meta: Meta, parts: list[Anything]) -> tuple[bool, Token, Pattern]:
        """An arc and the word it leads to."""
        return parts[0] is not None, parts[1], parts[2]

    def alternation(self, meta: Meta, parts: list[Pattern]) -> Pattern:
        """Sequences, one of which stands there."""
        return parts[0] if len(parts) == 1 else tree.Alternation(tuple(parts), meta.start_pos)

    def sequence(self, _meta: Meta, parts: list[Pattern]) -> Pattern:
        """Parts in a row."""
        return parts[0] if len(parts) == 1 else tree.Sequence(tuple(parts))

    def group(self, _meta: Meta, parts: list[Pattern]) -> Pattern:
        """What parentheses hold."""
        return parts[0]

    def labelled(self, meta: Meta, parts: list[Anything]) -> Pattern:
        """A part, under a name where one is given."""
        name, body = parts
        return cast("Pattern", body) if name is None else Capture(str(name), body, meta.start_pos)

    def quantified(self, _meta: Meta, parts: list[Anything]) -> Pattern:
        """A part, repeated where it says so."""
        body, repeat = parts
        if repeat is None:
            return cast("Pattern", body)
        least, most = self.times(repeat)
        return Repetition(body, least, most, repeat.start_pos)

    def times(self, repeat: Token) -> tuple[int, int | None]:
        """Least and most of a repetition as written."""
        if repeat in ("?", "*", "+"):
            return (0, 1) if repeat == "?" else (0, None) if repeat == "*" else (1, None)
        ends = [end.strip() for end in repeat[1:-1].split(",")]
        if len(ends) > 2 or not all(end.isdigit() or not end for end in ends) or ends == [""] or ends == ["", ""]:
            raise mistake(self.text, repeat.start_pos or 0, f"{repeat} is no repetition", "write {2}, {1,3}, {,3} or {2,}")
        least = int(ends[0] or 0)
        most = int(ends[-1]) if ends[-1] else None
        if most is not None and (most < least or not most):
            raise mistake(
                self.text, repeat.start_pos or 0, f"{repeat} ends before it begins", "write the smaller number first, and more than 0 times"
            )
        if max(least, most or 0) > MOST:
            raise mistake(self.text, repeat.start_pos or 0, f"more than {MOST} times", f"repeat at most {MOST} times")
        return least, most

    def word(self, meta: Meta, parts: list[Expression | None]) -> Word:
        """A word in brackets."""
        return Word(parts[0], meta.start_pos)

    def other_word(self, meta: Meta, parts: list[Expression | None]) -> Word:
        """A word that is not as the brackets say."""
        if parts[0] is None:
            raise mistake(self.text, meta.start_pos, "![] is no word at all", "say inside the brackets what the word is not")
        return Word(tree.Not(parts[0], meta.start_pos), meta.start_pos)

    def any_word(self, meta: Meta, _parts: list[Token]) -> Word:
        """Any word."""
        return Word(None, meta.start_pos)

    def form(self, meta: Meta, parts: list[tree.Text]) -> Word:
        """A word by its form."""
        place = meta.start_pos
        return Word(tree.Comparison("=", tree.Attribute(None, "form", place), parts[0], place), place)

    def string(self, meta: Meta, parts: list[Token | None]) -> tree.Text:
        """A text in quotes with its flags."""
        flags = (parts[1] or "%")[1:]
        if parts[1] is not None and (not flags or set(flags) - set(FLAGS)):
            raise mistake(
                self.text,
                parts[1].start_pos or 0,
                f"{parts[1]} is no flag",
                "write %c (any case), %d (any accents) or %l (no regular expression)",
            )
        return tree.Text(unquoted(str(parts[0])), flags, meta.start_pos)

    def either(self, meta: Meta, parts: list[Expression]) -> Expression:
        """Conditions joined by |."""
        return parts[0] if len(parts) == 1 else tree.Any(tuple(parts), meta.start_pos)

    def both(self, meta: Meta, parts: list[Expression]) -> Expression:
        """Conditions joined by &."""
        return parts[0] if len(parts) == 1 else tree.All(tuple(parts), meta.start_pos)

    def negated(self, meta: Meta, parts: list[Expression]) -> Expression:
        """A condition behind an exclamation mark."""
        return tree.Not(parts[0], meta.start_pos)

    def compared(self, _meta: Meta, parts: list[Anything]) -> Expression:
        """Two values compared, or one value alone."""
        left, sign, right = parts
        if sign is None:
            return cast("Expression", left)
        if sign == "==":
            raise mistake(self.text, sign.start_pos, "== is no comparison", "write one equals sign")
        return tree.Comparison(str(sign), left, right, sign.start_pos)

    def summed(self, _meta: Meta, parts: list[Anything]) -> Expression:
        """Terms joined by + and -."""
        result = parts[0]
        for sign, term in zip(parts[1::2], parts[2::2], strict=True):
            result = tree.Arithmetic(str(sign), result, term, sign.start_pos)
        return cast("Expression", result)

    multiplied = summed

    def signed(self, _meta: Meta, parts: list[Anything]) -> Expression:
        """A number with its sign."""
        sign, value = parts
        if isinstance(value, tree.Number):
            return tree.Number(-value.value if sign == "-" else value.value, sign.start_pos)
        return tree.Arithmetic(str(sign), tree.Number(0.0, sign.start_pos), value, sign.start_pos)

    def number(self, meta: Meta, parts: list[Token]) -> tree.Number:
        """A number."""
        value = float(parts[0])
        if value > 1e300:
            raise mistake(self.text, meta.start_pos, f"{parts[0]} is out of range", "write a smaller number")
        return tree.Number(value, meta.start_pos)

    def attribute(self, meta: Meta, parts: list[Token]) -> tree.Attribute:
        """An attribute, of a capture where one is named."""
        return tree.Attribute(str(parts[0]) if len(parts) == 2 else None, str(parts[-1]), meta.start_pos)

    def call(self, meta: Meta, parts: list[Anything]) -> tree.Call:
        """A function with its arguments."""
        return tree.Call(str(parts[0]), tuple(part for part in parts[1:] if part is not None), meta.start_pos)


def unquoted(text: str) -> str:
    """What stands between the quotes; a quote behind a backslash is the quote."""
    inner, quote = text[1:-1], text[0]
    return inner.replace("\\" + quote, quote)
