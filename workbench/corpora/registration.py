"""Registering a file of one's own: its reader and columns are seen from its content and written down in a corpus.toml."""

from __future__ import annotations

import csv
import json
from itertools import islice
from pathlib import Path

import regex

from workbench.corpora.catalogue import find, own_folders
from workbench.corpora.declaration import FILE_NAME, Declaration, Limits, load
from workbench.corpora.lines import lines
from workbench.corpora.reading import read
from workbench.errors import InputError

READERS_BY_SUFFIX = {
    ".csv": "delimited",
    ".tsv": "delimited",
    ".tab": "delimited",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".conllu": "conllu",
    ".txt": "parallel",
}
TEXT_NAMES = ("text", "sentence", "post", "tweet", "comment", "content", "document", "body", "message", "review", "abstract")
LABEL_NAMES = ("label", "class", "category", "labels", "target", "sentiment")
TRIED_DOCUMENTS = 200
_NAME = regex.compile("[a-z0-9][a-z0-9-]{0,79}")


def register(path: Path, name: str, reader: str | None, text: str | None, label: str | None) -> Path:
    """Write `<first own folder>/<name>/corpus.toml` for the file at `path`, return its path; nothing stays when it cannot be read."""
    asked = f"register {path} as {name!r}"
    if not path.exists():
        raise InputError(asked, "no such file or folder", "check the path")
    _free(asked, name)
    reader = reader or _reader(asked, path)
    options = _delimited_options(path) if reader == "delimited" else {}
    columns = _columns(path, reader, options)
    fields: dict[str, str] = {"text": text or _guess(TEXT_NAMES, columns) or ("text" if not columns else "")}
    if not fields["text"]:
        raise InputError(asked, f"no column that is surely the text among {', '.join(map(repr, columns))}", "name it: --text COLUMN")
    label = label or _guess(LABEL_NAMES, columns)
    folder = own_folders()[0] / name
    written = folder / FILE_NAME
    try:
        folder.mkdir(parents=True)
        written.write_text(_declaration(path.resolve(), name, reader, fields["text"], label, options), encoding="utf-8")
    except OSError as error:
        remedy = "permit writing there, or name another folder in WORKBENCH_CORPORA"
        raise InputError(asked, f"{folder}: {error.strerror or error}", remedy) from None
    try:
        _try(asked, load(written))
    except InputError:
        written.unlink()
        folder.rmdir()
        raise
    return written


def _free(asked: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InputError(asked, f"the name {name!r}", "use small letters a-z, digits and hyphens")
    try:
        there = find(name)
    except InputError:
        return
    raise InputError(asked, f"a corpus of that name in {there.folder}", "choose another name, or remove that folder")


def _try(asked: str, declaration: Declaration) -> None:
    reading = read(declaration, limit=TRIED_DOCUMENTS)
    if not any(True for _ in reading):
        reasons = "; ".join(item.reason for item in reading.report.rejected[:3]) or "no record"
        raise InputError(asked, f"no document that can be read: {reasons}", "correct the file, or name reader and columns")


def _reader(asked: str, path: Path) -> str:
    if path.is_dir():
        return "hub"
    suffixes = [suffix for suffix in path.suffixes if suffix != ".gz"]
    if suffixes and suffixes[-1].lower() in READERS_BY_SUFFIX:
        return READERS_BY_SUFFIX[suffixes[-1].lower()]
    readers = "|".join(sorted(set(READERS_BY_SUFFIX.values())))
    raise InputError(asked, f"the file ending {path.suffix!r}", f"name the reader: --reader {readers}")


def _delimited_options(path: Path) -> dict[str, str]:
    """Delimiter by the header line (the sign among , ; tab | that it has most of), quotes unless a tab file never uses them."""
    first = next(iter(lines(path, Limits()))).text
    delimiter = max(",;\t|", key=first.count)
    options = {"delimiter": delimiter}
    if delimiter == "\t":
        head = (line.text for line in islice(lines(path, Limits()), TRIED_DOCUMENTS))
        quoted = any('"\t' in text and (text.startswith('"') or '\t"' in text) for text in head)
        options["quote"] = "double" if quoted else "none"
    return options


def _columns(path: Path, reader: str, options: dict[str, str]) -> list[str]:
    """Column names where the file has them, else none."""
    if reader == "delimited":
        first = next(iter(lines(path, Limits()))).text.rstrip("\r\n")
        return next(csv.reader([first], delimiter=options["delimiter"]), [])
    if reader == "jsonl":
        for line in lines(path, Limits()):
            if line.text.strip() and not line.problem:
                try:
                    value = json.loads(line.text)
                except (ValueError, RecursionError):
                    continue
                return [str(key) for key in value] if isinstance(value, dict) else []
    if reader in ("parquet", "hub"):
        from workbench.corpora.readers.columns import column_names  # pyarrow is slow to import and only needed here

        return column_names(path)
    return []


def _guess(names: tuple[str, ...], columns: list[str]) -> str | None:
    """The first usual name that the file has, whatever its case."""
    by_name = {column.strip().casefold(): column for column in columns}
    return next((by_name[name] for name in names if name in by_name), None)


def _declaration(path: Path, name: str, reader: str, text: str, label: str | None, options: dict[str, str]) -> str:
    quoted = json.dumps  # a JSON string is a TOML basic string
    part = f"[[source.files]]\npath = {quoted(str(path), ensure_ascii=False)}\n"
    if reader == "parallel":
        part += 'role = "text"\n'
    rows = [
        f"name = {quoted(name)}",
        f"title = {quoted(path.name, ensure_ascii=False)}",
        'language = "und"',
        'licence = "not stated"',
        f"reader = {quoted(reader)}",
        "",
        "[source]",
        'text = "a file of your own, read where it lies"',
        "",
        part,
        "[fields]",
        f"segments = {{ text = {quoted(text, ensure_ascii=False)} }}",
    ]
    if label is not None:
        rows.append(f"label = {quoted(label, ensure_ascii=False)}")
    if options:
        rows += ["", "[options]", *(f"{key} = {quoted(value)}" for key, value in options.items())]
    return "\n".join(rows) + "\n"
