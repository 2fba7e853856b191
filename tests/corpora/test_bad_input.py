"""The zoo of bad inputs: for every animal either one clear error (asked, found, do) or a refused document while the others are read."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from workbench.corpora import Declaration, read
from workbench.errors import InputError

Write = Callable[..., Declaration]

GOOD = '{"text": "ভালো"}\n'
BENGALI = "আমার সোনার বাংলা"


@dataclass(frozen=True)
class Animal:
    """A file, how it is declared, and what must be said: in the refusal of one document, or as an error."""

    file: bytes | str
    said: tuple[str, ...]
    name: str = "a.jsonl"
    reader: str = "jsonl"
    fields: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, Any] = field(default_factory=dict)
    kept: int = 2


def around(line: bytes | str) -> bytes:
    """A JSON Lines file with the line between two good ones."""
    return GOOD.encode() + (line if isinstance(line, bytes) else line.encode("utf-8", "surrogatepass")) + b"\n" + GOOD.encode()


def parquet(columns: Mapping[str, Any], compression: str = "snappy") -> bytes:
    """A Parquet file as bytes."""
    buffer = io.BytesIO()
    pa.parquet.write_table(pa.table(columns), buffer, compression=compression)
    return buffer.getvalue()


def packed_sheet() -> bytes:
    """The beginning of every spreadsheet file: a zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return buffer.getvalue()


def not_utf8() -> pa.Array:
    """A text column of three rows whose second is no UTF-8; Arrow does not look."""
    good = "ভালো".encode()
    offsets = pa.array([0, len(good), len(good) + 2, 2 * len(good) + 2], pa.int32()).buffers()[1]
    return pa.StringArray.from_buffers(3, offsets, pa.py_buffer(good + b"\xff\xfe" + good))


CSV: dict[str, Any] = {"name": "a.csv", "reader": "delimited"}
CONLLU: dict[str, Any] = {"name": "a.conllu", "reader": "conllu"}
PARQUET: dict[str, Any] = {"name": "a.parquet", "reader": "parquet"}
WORD = "1\tকথা\t_\tNOUN\t_\t_\t0\troot\t_\t_\n"

REFUSED = {
    "invalid UTF-8 in JSON Lines": Animal(around(b'{"text": "\xff"}'), ("a.jsonl line 2", "invalid UTF-8: byte 0xff at byte offset 35")),
    "truncated letter": Animal(around(b'{"text": "\xe0\xa6"}'), ("line 2", "invalid UTF-8: byte 0xe0")),
    "surrogate in UTF-8 bytes": Animal(around('{"text": "\ud800"}'), ("line 2", "invalid UTF-8: byte 0xed")),
    "lone surrogate escaped in JSON": Animal(around('{"text": "ab\\ud83d"}'), ("line 2", "a lone surrogate U+D83D at character 2")),
    "NUL": Animal(around('{"text": "a\\u0000b"}'), ("line 2", "NUL character (U+0000) at character 1")),
    "empty text": Animal(around('{"text": ""}'), ("line 2", "an empty text")),
    "only white space": Animal(around('{"text": " \\u00a0\\u3000\\n"}'), ("line 2", "an empty text")),
    "null for a text": Animal(around('{"text": null}'), ("line 2", "no text (null)")),
    "number for a text": Animal(around('{"text": 12}'), ("line 2", "a number, not a text")),
    "list for a text": Animal(around('{"text": ["a"]}'), ("line 2", "a list, not a text")),
    "a key is missing": Animal(around('{"txet": "a"}'), ("line 2", "no value 'text'; there are 'txet'")),
    "broken JSON": Animal(around('{"text": "a"'), ("line 2", "not valid JSON", "at character")),
    "JSON that is no object": Animal(around('["a"]'), ("line 2", "JSON that is a list, not an object")),
    "JSON nested 100,000 deep": Animal(around('{"text": ' + "[" * 100_000), ("line 2", "JSON nested too deeply")),
    "NaN in JSON": Animal(around('{"text": "a", "n": NaN}'), ("line 2", "NaN is no JSON number")),
    "number of 5,000 digits": Animal(around('{"text": "a", "n": ' + "9" * 5000 + "}"), ("line 2", "more digits than Python reads (4,300)")),
    "text of more than 1 MB": Animal(
        around('{"text": "' + "ক" * 333_334 + '"}'), ("line 2", "1,000,002 bytes of UTF-8, at most 1,000,000")
    ),
    "line of 20 MB": Animal(around('{"text": "' + "a" * 20_000_000 + '"}'), ("line 2", "a line of 20,000,013 bytes, at most 16,000,000")),
    "identifier twice": Animal(
        '{"id": "7", "text": "a"}\n{"id": "7", "text": "b"}\n{"id": "8", "text": "c"}\n',
        ("line 2", "the identifier '7' stands already at a.jsonl line 1"),
        fields={"identifier": "id"},
    ),
    "no identifier": Animal(
        '{"id": "7", "text": "a"}\n{"id": "", "text": "b"}\n{"id": "8", "text": "c"}\n',
        ("line 2", "no identifier"),
        fields={"identifier": "id"},
    ),
    "surrogate in an identifier": Animal(
        '{"id": "7", "text": "a"}\n{"id": "\\ud800", "text": "b"}\n{"id": "8", "text": "c"}\n',
        ("line 2", "a lone surrogate in 'id'"),
        fields={"identifier": "id"},
    ),
    "unknown label": Animal(
        "text,label\na,Personal\nb,Persnal\nc,Personal\n",
        ("line 3", "'Persnal' is none of Personal, Political"),
        **CSV,
        fields={"label": "label"},
        tables={"classes": ["Personal", "Political"]},
    ),
    "ragged CSV, too few": Animal("text,label\na,1\nb\nc,3\n", ("a.csv line 3", "1 fields, the header has 2 (text, label)"), **CSV),
    "ragged CSV, too many": Animal("text,label\na,1\nb,2,3\nc,3\n", ("a.csv line 3", "3 fields, the header has 2"), **CSV),
    "invalid UTF-8 in CSV": Animal(
        b"text,label\na,1\nb\xe9,2\nc,3\n", ("a.csv line 3", "invalid UTF-8: byte 0xe9 at byte offset 16"), **CSV
    ),
    "text after a closing quote": Animal('text,label\na,1\n"b"x,2\nc,3\n', ("line 3", "not well-formed"), **CSV),
    "ragged TSV": Animal("text\tlabel\na\t1\nb\nc\t3\n", ("a.tsv line 3", "1 fields, the header has 2"), name="a.tsv", reader="delimited"),
    "CoNLL-U word with nine columns": Animal(
        WORD + "\n" + WORD.replace("\t_\t_\n", "\t_\n") + "\n" + WORD + "\n",
        ("a.conllu line 3", "line 3: 9 columns, a word has 10"),
        **CONLLU,
    ),
    "CoNLL-U comments without a word": Animal(WORD + "\n# text = কথা\n\n" + WORD, ("a.conllu line 3", "comments without a word"), **CONLLU),
    "CoNLL-U word number": Animal(WORD + "\n" + "x" + WORD[1:] + "\n" + WORD, ("line 3: the word number 'x'",), **CONLLU),
    "invalid UTF-8 in Parquet": Animal(parquet({"text": not_utf8()}), ("row 2", "invalid UTF-8: byte 0xff at byte 0 of 'text'"), **PARQUET),
    "null in Parquet": Animal(parquet({"text": ["a", None, "c"]}), ("row 2", "no text (null)"), **PARQUET),
}

ERRORS = {
    "empty file": Animal("", ("an empty file",)),
    "only blank lines": Animal("\n\n  \n", ("only blank lines",)),
    "empty gzip": Animal(gzip.compress(b""), ("an empty file",), name="a.jsonl.gz"),
    "UTF-16": Animal(GOOD.encode("utf-16"), ("UTF-16 text", "iconv -f UTF-16 -t UTF-8 a.jsonl")),
    "UTF-16 without a mark": Animal(("text,label\n" + "abc,1\n" * 9).encode("utf-16-le"), ("many NUL bytes", "convert it to UTF-8"), **CSV),
    "spreadsheet named .csv": Animal(packed_sheet(), ("a zip archive or spreadsheet", "save the sheet as CSV"), **CSV),
    "Parquet named .jsonl": Animal(parquet({"text": ["a"]}), ("a Parquet file", 'reader = "parquet"')),
    "gzip bomb": Animal(
        gzip.compress((GOOD.strip() + " " * 9_000 + "\n").encode() * 2_000),
        ("unpack to more than", "over 100 times", "raise `expansion`"),
        name="a.jsonl.gz",
    ),
    "gzip bomb in one line": Animal(gzip.compress(b" " * 30_000_000), ("unpack to more than", "over 100 times"), name="a.jsonl.gz"),
    "truncated gzip": Animal(
        gzip.compress(json.dumps({"text": BENGALI * 999}).encode())[:-20], ("a damaged gzip file",), name="a.jsonl.gz"
    ),
    "garbage after the gzip mark": Animal(b"\x1f\x8bnothing", ("a damaged gzip file",), name="a.jsonl.gz"),
    "wrong column": Animal("Text,label\na,1\n", ("no column 'text'; the columns are 'Text', 'label'", "did you mean 'Text'?"), **CSV),
    "semicolons for commas": Animal(
        "text;label\na;1\n", ("no column 'text'; the columns are 'text;label'", "is the delimiter ';'?"), **CSV
    ),
    "column twice": Animal("text,text\na,b\n", ("the column 'text' twice", "rename"), **CSV),
    "header alone": Animal("text,label\n", ("a header and no record",), **CSV),
    "header not UTF-8": Animal(b"te\xe9xt,label\na,1\n", ("invalid UTF-8: byte 0xe9 at byte offset 2",), **CSV),
    "quote never closed": Animal('text,label\na,1\n"b,2\nc,3\n', ("a quote opened in line 3 that is not closed",), **CSV),
    "carriage returns alone": Animal("text,label\ra,1\rb,2\r", ("lines that end in a carriage return alone", "tr '\\r' '\\n'"), **CSV),
    "wrong key in JSON Lines": Animal('{"sentence": "a"}\n', ("no column 'text'; the columns are 'sentence'", "under [fields]")),
    "unknown option": Animal(GOOD, ("the option 'delimter'", "no options"), tables={"options": {"delimter": ","}}),
    "delimiter of two signs": Animal(
        "text\n", ("options.delimiter = '||'", "give one character"), **CSV, tables={"options": {"delimiter": "||"}}
    ),
    "unknown quote": Animal("text\n", ("options.quote = 'single'", "'double', 'none'"), **CSV, tables={"options": {"quote": "single"}}),
    "unknown reader": Animal(GOOD, ("conllu, deephate", "did you mean 'jsonl'?"), reader="jsonlines"),
    "more rows than allowed": Animal(GOOD * 5, ("more than 3 records", "raise `rows`"), tables={"limits": {"rows": 3}}),
    "nothing but refusals": Animal(
        "x\n" * 5, ("more than 3 records that cannot be used", "line 4: not valid JSON"), tables={"limits": {"refused": 3}}
    ),
    "no Parquet": Animal("text", ("no whole Parquet or Arrow file",), **PARQUET),
    "truncated Parquet": Animal(parquet({"text": ["a"] * 99})[:-30], ("no whole Parquet or Arrow file",), **PARQUET),
    "Parquet without rows": Animal(parquet({"text": pa.array([], pa.string())}), ("without rows",), **PARQUET),
    "numbers in the Parquet text column": Animal(parquet({"text": [1, 2]}), ("the column 'text' holds int64",), **PARQUET),
    "wrong Parquet column": Animal(parquet({"txt": ["a"]}), ("no column 'text'; the columns are 'txt'", "did you mean 'txt'?"), **PARQUET),
    "Parquet bomb": Animal(
        parquet({"text": ["a" * 900_000 + str(number) for number in range(40)]}, "zstd"), ("over 100 times", "raise `expansion`"), **PARQUET
    ),
    "CoNLL-U without a sentence": Animal("\n\n", ("no sentence", "ten tab-separated columns"), **CONLLU),
    "not the Bengali corpus": Animal(
        "post,label\na,b\n", ("the header 'post,label'", "'text,label,target'"), name="a.csv", reader="deephate"
    ),
}


def open_corpus(corpus: Write, animal: Animal) -> Declaration:
    """The animal's file as a corpus."""
    return corpus({animal.name: animal.file}, animal.reader, animal.fields, **animal.tables)


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_document_is_refused_and_the_others_are_read(name: str, corpus: Write) -> None:
    animal = REFUSED[name]
    reading = read(open_corpus(corpus, animal))
    documents = list(reading)
    assert len(documents) == reading.report.documents == animal.kept
    assert len(reading.report.rejected) == 1
    for words in animal.said:
        assert words in reading.report.rejected[0].reason
    reading.report.rejected[0].identifier.encode("utf-8")
    assert f"{animal.kept} documents read, 1 refused" in reading.report.lines()[0]


@pytest.mark.parametrize("name", ERRORS)
def test_a_bad_file_gives_one_clear_error(name: str, corpus: Write) -> None:
    animal = ERRORS[name]
    with pytest.raises(InputError) as caught:
        list(read(open_corpus(corpus, animal)))
    for words in animal.said:
        assert words in str(caught.value)
    assert caught.value.asked
    assert caught.value.found
    assert caught.value.remedy
    assert caught.value.__cause__ is None


def test_a_missing_file_and_a_folder_for_a_file_are_named(corpus: Write, tmp_path: Path) -> None:
    gone = corpus({}, declared=[{"path": "gone.jsonl"}])
    with pytest.raises(InputError, match=r"no such file in .*gone\.jsonl.*\n.*put it at"):
        list(read(gone))
    (tmp_path / "own" / "zoo" / "gone.jsonl").mkdir()
    with pytest.raises(InputError, match="a folder"):
        list(read(gone))


def test_an_unclosed_quote_never_swallows_records_in_silence(corpus: Write) -> None:
    rows = [f'"post {number}",1' for number in range(20)]
    rows[5] = '"post 5,1'
    reading = read(corpus({"a.csv": "text,label\n" + "\n".join(rows) + "\n"}, "delimited"))
    kept = [document.segments["text"] for document in reading]
    places = [item.reason for item in reading.report.rejected]
    assert kept == [f"post {number}" for number in range(20) if number not in (5, 6)]
    assert places == ["a.csv lines 7-8: not well-formed: ',' expected after '\"'"]


ODD_BUT_GOOD = {
    "emoji alone": "😂😂",
    "one letter": "ক",
    "danda alone": "।",
    "zero-width joiners": "র‍্যাব উদ্‌যাপন",
    "right to left with a bidi override": "\u202eabc\u202c عربى",
    "decomposed": "e\u0301 য\u09bc",
    "not a character": "a\ufffeb",
    "replacement character": "\ufffd",
    "line separators inside": "a\u2028b\u0085c\x0bd\x0ce",
    "exactly one megabyte": "a" * 1_000_000,
    "markup": "<script>alert(1)</script>",
    "formula": "=cmd()",
}


@pytest.mark.parametrize("name", ODD_BUT_GOOD)
def test_odd_texts_are_read_as_they_stand(name: str, corpus: Write) -> None:
    text = ODD_BUT_GOOD[name]
    line = json.dumps({"text": text}, ensure_ascii=False)
    reading = read(corpus({"a.jsonl": line + "\n"}))
    assert [document.segments["text"] for document in reading] == [text]
    assert reading.report.rejected == []
