"""Lines of a text file, plain or gzip, read as a stream: each with its number, and with what is wrong with it."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from workbench.corpora.declaration import Limits
from workbench.errors import InputError

GZIP_MAGIC = b"\x1f\x8b"
#: A compressed file may always grow to this many bytes before its expansion is judged.
EXPANSION_FREE_BYTES = 10_000_000
HEAD_BYTES = 65_536

#: Beginnings of files that are no text: what they are, what to do.
NOT_TEXT = {
    b"PK\x03\x04": ("a zip archive or spreadsheet", "unpack it, or save the sheet as CSV (UTF-8)"),
    b"PAR1": ("a Parquet file", 'declare reader = "parquet"'),
    b"ARROW1": ("an Arrow file", "save it as Parquet"),
    b"BZh": ("a bzip2 file", "unpack it, or pack it with gzip"),
    b"\xfd7zXZ": ("an xz file", "unpack it, or pack it with gzip"),
    b"\x28\xb5\x2f\xfd": ("a zstd file", "unpack it, or pack it with gzip"),
    b"%PDF": ("a PDF", "extract its text first"),
    b"\xd0\xcf\x11\xe0": ("an old Office document", "save it as CSV (UTF-8)"),
    codecs.BOM_UTF32_LE: ("UTF-32 text", "convert it: iconv -f UTF-32 -t UTF-8 FILE"),
    codecs.BOM_UTF16_LE: ("UTF-16 text", "convert it: iconv -f UTF-16 -t UTF-8 FILE"),
    codecs.BOM_UTF16_BE: ("UTF-16 text", "convert it: iconv -f UTF-16 -t UTF-8 FILE"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line with its end; bytes that are not UTF-8 stand as lone surrogates U+DC80–U+DCFF and `problem` says where."""

    number: int
    text: str
    problem: str | None = None


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The file's bytes, unpacked where it is gzip; InputError when it cannot be opened or is empty."""
    asked = f"read {path}"
    try:
        with path.open("rb") as raw:
            if raw.read(2) == GZIP_MAGIC:
                raw.seek(0)
                with gzip.open(raw, "rb") as unpacked:
                    yield cast(IO[bytes], unpacked)
            else:
                raw.seek(0)
                yield raw
    except IsADirectoryError:
        raise InputError(asked, "a folder", 'name the file; a dataset folder needs reader = "hub"') from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(asked, f"a damaged gzip file: {error}", "fetch or pack the file again") from None
    except FileNotFoundError:
        raise InputError(asked, "no such file", "check the path") from None
    except OSError as error:
        raise InputError(asked, f"{error.strerror or error}", "check the file and its permissions") from None


def lines(path: Path, limits: Limits) -> Iterator[Line]:
    """Stream the lines of a UTF-8 file, a byte order mark dropped.

    A line that is too long or not UTF-8 comes with its problem and the stream goes on; InputError for a file that is empty or no text, and
    for gzip data that grows more than `limits.expansion` times.
    """
    packed = path.stat().st_size if path.is_file() else 0
    offset = 0
    with opened(path) as stream:
        number = 0
        while raw := stream.readline(limits.line_bytes + 1):
            number += 1
            if number == 1:
                _check_text(path, raw)
                raw = raw.removeprefix(codecs.BOM_UTF8)
            length = len(raw)
            too_long = length > limits.line_bytes
            while too_long and not raw.endswith(b"\n") and (rest := stream.readline(limits.line_bytes)):
                raw, length = rest, length + len(rest)
                _check_expansion(path, offset + length, packed, limits)
            if too_long:
                yield Line(number, "", f"a line of {length:,} bytes, at most {limits.line_bytes:,} are read")
            else:
                yield _decoded(raw, number, offset)
            offset += length
            _check_expansion(path, offset, packed, limits)
    if offset == 0:
        raise InputError(f"read {path}", "an empty file", "check how the file was made; it must hold at least one record")


def _decoded(raw: bytes, number: int, offset: int) -> Line:
    try:
        return Line(number, raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        problem = f"invalid UTF-8: byte 0x{raw[error.start]:02x} at byte offset {offset + error.start:,}"
        return Line(number, raw.decode("utf-8", "surrogateescape"), problem)


def _check_text(path: Path, raw: bytes) -> None:
    for magic, (what, remedy) in NOT_TEXT.items():
        if raw.startswith(magic):
            raise InputError(f"read {path} as text", f"{what}", remedy.replace("FILE", path.name))
    head = raw[:HEAD_BYTES]
    if head.count(0) > len(head) // 5:
        found = "binary data or UTF-16 without a mark (many NUL bytes)"
        raise InputError(f"read {path} as text", found, "convert it to UTF-8, or declare another reader")
    if head.count(b"\r") > 1 and not raw.endswith(b"\n"):
        remedy = f"convert the line ends: tr '\\r' '\\n' < {path.name}"
        raise InputError(f"read {path} as text", "lines that end in a carriage return alone", remedy)


def _check_expansion(path: Path, produced: int, packed: int, limits: Limits) -> None:
    if produced > EXPANSION_FREE_BYTES and produced > packed * limits.expansion:
        raise InputError(
            f"read {path}",
            f"{packed:,} bytes that unpack to more than {produced:,} (over {limits.expansion} times)",
            "if you trust the file, unpack it yourself or raise `expansion` under [limits] in corpus.toml",
        )
