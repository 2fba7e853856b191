"""Is a record fit to be a document? Texts stay as they are: what cannot be used is refused, what is odd is counted."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from pathlib import Path

import regex

from workbench.corpora.declaration import Declaration, SourceFile
from workbench.corpora.languages import LanguagePair
from workbench.corpora.numbers import number, number_problem
from workbench.corpora.records import Record, kind_name
from workbench.corpora.report import Report
from workbench.document import Document
from workbench.fingerprint import Json

_SURROGATE = regex.compile("[\ud800-\udfff]")
_PRECOMPOSED_NUKTA = regex.compile("[\u09dc\u09dd\u09df]")
_DECOMPOSED_NUKTA = regex.compile("[\u09a1\u09a2\u09af]\u09bc")
_JOINER = regex.compile("[\u200c\u200d]")
_CONVERSION_DEBRIS = regex.compile("[¦^]")


def prefix(declaration: Declaration, file: SourceFile, pair: LanguagePair | None = None) -> str:
    """What numbered identifiers of a file begin with: its split where it is the only such file, else its name, else its path.

    Where files have languages, the split and the pair of languages: `test-en-de`.
    """
    if pair is not None:
        return "-".join(filter(None, (file.split, pair.name)))
    others = [other for other in declaration.source.files if other is not file and other.role == file.role]
    if file.split is not None and all(other.split != file.split for other in others):
        return file.split
    name = _stem(file)
    return name if all(_stem(other) != name for other in others) else file.path


def identifier(declaration: Declaration, beginning: str, record: Record) -> str:
    """The declared identifier, else prefix and record number: `test-00017` is the 17th record, whatever was refused before."""
    column = declaration.fields.identifier
    if column is not None and record.values.get(column) not in (None, ""):
        return _printable(str(record.values[column]))
    return record.name or f"{beginning}-{record.row:05d}"


def problem(declaration: Declaration, record: Record) -> str | None:
    """Why the record cannot be a document, None where it can."""
    fields = declaration.fields
    if missing := [column for column in fields.columns if column not in record.values]:
        return f"no value {', '.join(map(repr, missing))}; there are {', '.join(map(repr, record.values)) or 'none'}"
    for role, column in fields.segments.items():
        reason = text_problem(record.values[column], declaration.limits.document_bytes)
        if reason is not None:
            return f"{reason} ({column})" if role != "text" else reason
    numbers = [(column, None) for column in fields.numbers] + ([(fields.similarity, fields.scale)] if fields.similarity else [])
    for column, scale in numbers:
        if reason := number_problem(record.values[column], scale):
            return f"{reason} ({column})"
    short = [fields.label, fields.identifier, fields.split, *fields.metadata]
    for name in short:
        if name is not None and _SURROGATE.search(str(record.values[name])):
            return f"a lone surrogate in {name!r}"
    if fields.identifier is not None and record.values[fields.identifier] in (None, ""):
        return f"no identifier in {fields.identifier!r}"
    label = _label(declaration, record)
    if declaration.classes and label is not None and label not in declaration.classes:
        return f"the label {label!r} is none of {', '.join(declaration.classes)}"
    return None


def text_problem(text: object, limit: int) -> str | None:
    """Why a value cannot be a text, None where it can."""
    if text is None:
        return "no text (null)"
    if not isinstance(text, str):
        return f"{kind_name(text)}, not a text"
    if found := _SURROGATE.search(text):
        return f"a lone surrogate U+{ord(found[0]):04X} at character {found.start():,}"
    if (place := text.find("\0")) >= 0:
        return f"a NUL character (U+0000) at character {place:,}"
    if (size := len(text.encode("utf-8"))) > limit:
        return f"{size:,} bytes of UTF-8, at most {limit:,} are read (document_bytes under [limits])"
    if not text.strip():
        return "an empty text"
    return None


def document(declaration: Declaration, file: SourceFile, record: Record, name: str, report: Report) -> Document:
    """The document of a record that has no problem."""
    fields = declaration.fields
    written = None if fields.label is None else record.values[fields.label]
    if isinstance(written, str) and written != written.strip():
        report.met("label with a blank", "the blank is dropped")
    label = _label(declaration, record)
    if fields.label is not None and label is None:
        report.met("document without a label", "it is kept and has no label")
    split = file.split if fields.split is None else _word(record.values[fields.split])
    segments: dict[str, str] = {role: str(record.values[column]) for role, column in fields.segments.items()}
    metadata = {column: _json(record.values[column]) for column in fields.metadata}
    if fields.languages:
        metadata["languages"] = {str(role): language for role, language in fields.languages.items()}
    metadata |= {column: number(record.values[column]) for column in fields.numbers}
    if fields.similarity is not None:
        metadata["similarity"] = number(record.values[fields.similarity])
        if metadata["similarity"] is None:
            report.met("pair without a gold similarity", "it is kept; its similarity is null")
    return Document(declaration.name, name, segments, label, split, record.language or declaration.language, metadata)


def count_traps(document: Document, report: Report) -> None:
    """Count what is odd in the texts of a document; nothing is changed."""
    kept = "the text stays as written; texts are compared in canonical composition (NFC)"
    for text in document.segments.values():
        precomposed, decomposed = _PRECOMPOSED_NUKTA.search(text), _DECOMPOSED_NUKTA.search(text)
        if precomposed:
            report.met("nukta letter as one code point", kept)
        if decomposed:
            report.met("nukta letter as two code points", kept)
        if precomposed and decomposed:
            report.met("both nukta encodings in one text", kept)
        if not unicodedata.is_normalized("NFC", text):
            report.met("text not in canonical composition", kept)
        if _JOINER.search(text):
            report.met("zero-width joiner or non-joiner", "the text stays as written; texts are compared without it")
        if _CONVERSION_DEBRIS.search(text) and (document.language or "").startswith("bn"):
            report.met("debris of a font conversion (¦ or ^)", "the text stays as written")


def _label(declaration: Declaration, record: Record) -> str | None:
    word = None if declaration.fields.label is None else _word(record.values[declaration.fields.label])
    return None if word is None else declaration.fields.codes.get(word, word)


def _word(value: object) -> str | None:
    """A short value as a word, None where there is none."""
    return None if value is None else str(value).strip() or None


def _json(value: object) -> Json:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, Mapping):
        return {str(key): _json(item) for key, item in value.items()}
    return [_json(item) for item in value] if isinstance(value, list | tuple) else str(value)


def _printable(name: str) -> str:
    """An identifier that can be shown and stored even when its record is refused for its characters."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\0")


def _stem(file: SourceFile) -> str:
    return Path(file.path).name.partition(".")[0] or file.path
