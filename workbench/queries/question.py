"""One question a file: SQL with a header that says what it answers, which parameters it takes and what its columns mean.

The header is `-- title`, then lines `-- parameter <name> (<type>[ of <choice>|<choice>…][, default <value>]): meaning` with the types text,
texts, integer, number and boolean (default none is NULL), then lines `-- column <name>, <name>: meaning`. What stands behind a row of the
answer is said by `-- rows <view>: <condition>` and `-- pattern <CQL>` (see `evidence`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

from workbench.errors import StoreError
from workbench.queries.evidence import Evidence

Value: TypeAlias = "None | bool | int | float | str | list[str]"

FOLDER = Path(__file__).parent
PARAMETER = re.compile(
    r"-- parameter (?P<name>\w+) \((?P<type>\w+)(?: of (?P<choices>[\w|]+))?(?:, default (?P<default>[^)]*))?\): (?P<meaning>.+)"
)
COLUMN = re.compile(r"-- column (?P<names>[\w, ]+?): (?P<meaning>.+)")
ROWS = re.compile(r"-- rows (?P<view>\w+)(?: of (?P<value>\w+))?: (?P<where>.+)")
PATTERN = re.compile(r"-- pattern (?:\((?P<name>\w+)=(?P<value>\w+)\) )?(?P<pattern>.+)")
TYPES = ("text", "texts", "integer", "number", "boolean")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a question; `default` counts where it is not `required`, a text is one of its `choices` where it has any."""

    name: str
    type: str
    meaning: str
    required: bool
    default: Value
    choices: tuple[str, ...] = ()

    @property
    def takes(self) -> str:
        """What to give, in words."""
        return f"{self.type} of {', '.join(self.choices)}" if self.choices else self.type


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the SQL that answers it; `columns` maps column names to their meaning."""

    name: str
    title: str
    parameters: tuple[Parameter, ...]
    columns: dict[str, str]
    statement: str
    evidence: Evidence | None = None


def names() -> list[str]:
    """Names of all questions that the workbench can answer."""
    return sorted(file.stem for file in FOLDER.glob("*.sql"))


@cache
def describe(name: str) -> Question:
    """Title, parameters and columns of a question; StoreError names those there are."""
    if name not in names():
        raise StoreError(f"answer the question {name!r}", "no question of that name", f"use one of {', '.join(names())}")
    text = (FOLDER / f"{name}.sql").read_text("utf-8")
    header = [line for line in text.splitlines() if line.startswith("-- ")]
    parameters = tuple(parameter(match) for line in header if (match := PARAMETER.fullmatch(line)))
    columns = {
        column.strip(): match["meaning"] for line in header if (match := COLUMN.fullmatch(line)) for column in match["names"].split(",")
    }
    return Question(name, header[0].removeprefix("-- "), parameters, columns, text, evidence(header, text))


def evidence(header: list[str], statement: str) -> Evidence | None:
    """What stands behind a row, from the header lines and the table expressions of the statement."""
    rows = next((match for line in header if (match := ROWS.fullmatch(line))), None)
    if rows is None:
        return None
    patterns = [match for line in header if (match := PATTERN.fullmatch(line))]
    ctes, where = through(statement, rows["view"]), rows["where"]
    if not ctes and rows["view"] != "documents" and (ctes := through(statement, "chosen")):
        where = f"explanation IN (SELECT explanation FROM chosen) AND {where}"
    if not ctes:
        ctes = through(statement, "best")
    return Evidence(
        rows["view"],
        where,
        next((match["pattern"] for match in patterns if match["name"] is None), None),
        rows["value"],
        ctes,
        tuple((match["name"], match["value"], match["pattern"]) for match in patterns if match["name"] is not None),
    )


def through(statement: str, name: str) -> str:
    """The table expressions of a statement from WITH to the one of this name; nothing where there is none."""
    match = re.search(rf"^WITH (?:.*?\n\), )?{name} AS (?:MATERIALIZED )?\(\n.*?\n\)", statement, re.DOTALL | re.MULTILINE)
    return match[0] if match else ""


def parameter(match: re.Match[str]) -> Parameter:
    """One parameter from its header line."""
    kind, default = match["type"], match["default"]
    value = None if default in (None, "none") else converted(kind, default)
    choices = tuple(match["choices"].split("|")) if match["choices"] else ()
    return Parameter(match["name"], kind, match["meaning"], default is None, value, choices)


def converted(kind: str, value: object) -> Value:
    """A value as its type; ValueError where it is none."""
    if kind == "boolean" and str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    if kind == "texts":
        return [str(item) for item in value] if isinstance(value, list | tuple | set | frozenset) else str(value).split(",")
    if isinstance(value, bool) or kind not in TYPES or kind == "boolean":
        raise ValueError(value)
    if kind == "integer":
        if isinstance(value, float) and not value.is_integer():
            raise ValueError(value)
        return int(str(value)) if isinstance(value, str) else int(float(str(value)))
    if kind == "number":
        return float(str(value))
    return str(value)


def among(choices: tuple[str, ...], value: Value) -> Value:
    """The value; ValueError where there are choices and it is none of them."""
    given = value if isinstance(value, list) else [value]
    if choices and not set(given) <= set(choices):
        raise ValueError(value)
    return value


def filled(question: Question, given: dict[str, object]) -> dict[str, Value]:
    """All parameters of a question with the given values and its defaults; StoreError for a name or value it does not take."""
    asked = f"answer the question {question.name}"
    known = {parameter.name: parameter for parameter in question.parameters}
    takes = (
        ", ".join(f"{p.name} ({p.type}{'' if p.required else f', default {p.default}'})" for p in question.parameters) or "no parameters"
    )
    if unknown := sorted(set(given) - set(known)):
        raise StoreError(asked, f"the unknown parameter {', '.join(unknown)}", f"it takes {takes}")
    if absent := [p.name for p in question.parameters if p.required and given.get(p.name) is None]:
        raise StoreError(asked, f"no value for {', '.join(absent)}", f"it takes {takes}")
    values: dict[str, Value] = {}
    for name, parameter in known.items():
        value = given.get(name)
        try:
            values[name] = parameter.default if value is None else among(parameter.choices, converted(parameter.type, value))
        except (TypeError, ValueError) as error:
            raise StoreError(asked, f"{name} = {value!r}", f"give {parameter.takes}; it takes {takes}") from error
    return values
