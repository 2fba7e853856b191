"""The text file that declares a corpus: its source, licence, reader, fields and splits."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from workbench.errors import InputError

FILE_NAME = "corpus.toml"

Role = Literal["text", "text_a", "text_b", "source", "reference", "hypothesis", "query", "passage"]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=80)]
Checksum = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")]


class Part(BaseModel):
    """A table of the declaration: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceFile(Part):
    """One file (or, for datasets on disk, one folder) of the corpus; a path without a checksum is the user's own and may change.

    `query` is a SELECT over the database that the path names: a DuckDB file, or `postgres:` and a connection string.
    `language` tells files of one split apart that hold the same pairs in several languages; `part` names what a file adds to the other file
    of its split, for the reader that knows how to put them together.
    """

    path: str = Field(min_length=1)
    sha256: Checksum | None = None
    split: str | None = None
    role: Role | None = None
    language: Language | None = None
    part: str | None = None
    query: str | None = Field(default=None, min_length=1)
    url: str | None = Field(default=None, pattern=r"^https://")


class Source(Part):
    """Where the texts come from: in words, as an address, and as a folder below the local mirror."""

    text: str = Field(min_length=1)
    url: str | None = Field(default=None, pattern=r"^https://")
    mirror: str | None = None
    files: tuple[SourceFile, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _stay_inside(self) -> Source:
        inside = [self.mirror] if self.mirror else []
        if self.mirror or any(file.url for file in self.files):
            inside += [file.path for file in self.files]
        for path in inside:
            if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts or "\\" in path:
                raise ValueError(f"{path!r} leaves the corpus folder: name it relative, without '..'")
        return self


class Fields(Part):
    """Which column, key or role of a record becomes what of a document.

    `similarity` is the gold similarity of a pair, a number within `scale`, in the metadata under that name; `numbers` are further columns
    of numbers for the metadata; `languages` says which language the texts of a role are in, where roles differ.
    """

    segments: Mapping[Role, str] = Field(default={"text": "text"}, min_length=1)
    label: str | None = None
    identifier: str | None = None
    split: str | None = None
    metadata: tuple[str, ...] = ()
    similarity: str | None = None
    scale: tuple[float, float] | None = None
    numbers: tuple[str, ...] = ()
    codes: Mapping[str, str] = Field(default={})
    languages: Mapping[Role, Language] = Field(default={})

    @model_validator(mode="after")
    def _languages_of_segments(self) -> Fields:
        if unknown := sorted(set(self.languages) - set(self.segments)):
            raise ValueError(f"'languages' of {', '.join(unknown)}, which are no segments")
        return self

    @model_validator(mode="after")
    def _scale_of_similarity(self) -> Fields:
        if self.scale is not None and (self.similarity is None or self.scale[0] >= self.scale[1]):
            raise ValueError("'scale' goes from the least to the most similar and needs the column 'similarity'")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that a record must have, each once."""
        named = [*self.segments.values(), self.label, self.identifier, self.split, self.similarity, *self.numbers, *self.metadata]
        return tuple(dict.fromkeys(column for column in named if column is not None))


class Splits(Part):
    """Split names in order; `leakage` marks documents of a later split that repeat a text of an earlier one."""

    names: tuple[str, ...] = ()
    leakage: bool = False


class Limits(Part):
    """What is too much: bytes of UTF-8 in a document and in a line, records, refused records, and how many times a packed file may grow."""

    document_bytes: int = Field(default=1_000_000, gt=0)
    line_bytes: int = Field(default=16_000_000, gt=0)
    rows: int = Field(default=5_000_000, gt=0)
    refused: int = Field(default=100_000, gt=0)
    expansion: int = Field(default=100, gt=0)


class Declaration(Part):
    """A corpus as declared in `corpus.toml`; `folder` is where that file lies.

    `passages` names the corpus whose passages the queries of this one are judged against.
    """

    name: Name
    title: str = Field(min_length=1)
    language: Language
    licence: str = Field(min_length=1)
    licence_note: str | None = None
    reader: str = Field(min_length=1)
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    source: Source
    fields: Fields = Fields()
    splits: Splits = Splits()
    limits: Limits = Limits()
    options: Mapping[str, str] = Field(default={})
    passages: Name | None = None
    folder: Path

    @field_validator("folder")
    @classmethod
    def _resolved(cls, folder: Path) -> Path:
        return folder.resolve()

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages of the files in declared order, each once; none where the files do not say."""
        return tuple(dict.fromkeys(file.language for file in self.source.files if file.language is not None))


def load(path: Path) -> Declaration:
    """The declaration in the file `path`; InputError names the file, the key and what is wrong with it."""
    asked = f"read the corpus declaration {path}"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise InputError(asked, f"invalid UTF-8 at byte offset {error.start}", "save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(asked, f"not valid TOML: {error}", "correct the line named; strings stand in double quotes") from None
    except OSError as error:
        raise InputError(asked, f"{error.strerror or error}", "check the path and its permissions") from None
    if "folder" in content:
        raise InputError(asked, "the key 'folder'", "remove it: the folder is where the file lies")
    try:
        declaration = Declaration.model_validate({**content, "folder": path.parent})
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, item['loc'])) or 'the file'}: {item['msg']}" for item in error.errors(include_url=False))
        known = ", ".join(sorted(set(Declaration.model_fields) - {"folder"}))
        raise InputError(asked, wrong, f"correct these keys; known keys are {known}") from None
    if declaration.folder.name != declaration.name:
        found = f"name = {declaration.name!r} in the folder {declaration.folder.name!r}"
        raise InputError(asked, found, "give the folder and the corpus the same name")
    return declaration
