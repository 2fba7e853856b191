"""Where parts stand: a folder of this machine, or whatever fsspec reaches (s3://…, gs://…, memory://…)."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from workbench.errors import MissingExtraError, StoreError
from workbench.store.mirror import sync_directory

#: Ending of a file that is being written; what is left of one is nobody's.
TEMPORARY = ".tmp"


class Place:
    """Files by name below one folder or address; each is written whole or not at all, and stays as it is."""

    def __init__(self, url: str | os.PathLike[str]) -> None:
        from fsspec.core import url_to_fs  # not before it is needed: it takes a moment
        from fsspec.implementations.local import LocalFileSystem

        self.url = str(url).rstrip("/")
        try:
            self.system, root = url_to_fs(self.url)
        except ImportError as error:
            protocol = self.url.split("://")[0]
            raise MissingExtraError(
                f"reach {self.url}", f"nothing here speaks {protocol}: {error}", f"install what fsspec needs for {protocol}"
            ) from error
        except ValueError as error:
            raise StoreError(
                f"reach {self.url}", str(error), "give a folder, or an address that fsspec knows (s3://bucket/folder)"
            ) from error
        self.root = str(root).rstrip("/")
        self.is_local = isinstance(self.system, LocalFileSystem)

    def __str__(self) -> str:
        return self.url

    def address(self, name: str) -> str:
        """The whole address of a file, as DuckDB reads it."""
        return f"{self.root}/{name}" if self.is_local else str(self.system.unstrip_protocol(f"{self.root}/{name}"))

    def put(self, name: str, data: bytes, *, new: bool = False) -> bool:
        """Writes a file whole; it is durable on return. False where it is to be new and another was there first."""
        with self._explained(f"write {name} to {self}"):
            if self.is_local:
                return put_local(Path(self.root, name), data, new=new)
            try:
                self.system.pipe_file(f"{self.root}/{name}", data, mode="create" if new else "overwrite")
            except FileExistsError:
                return False
            return True

    def get(self, name: str) -> bytes:
        """The bytes of a file; StoreError where it is not there."""
        with self._explained(f"read {name} from {self}"):
            return bytes(self.system.cat_file(f"{self.root}/{name}"))

    def find(self, name: str) -> bytes | None:
        """The bytes of a file, None where it is not there."""
        with self._explained(f"read {name} from {self}"):
            try:
                return bytes(self.system.cat_file(f"{self.root}/{name}"))
            except FileNotFoundError:
                return None

    def size(self, name: str) -> int | None:
        """Bytes of a file, None where it is not there."""
        try:
            return int(self.system.size(f"{self.root}/{name}"))
        except FileNotFoundError:
            return None

    def names(self, folder: str) -> list[str]:
        """Names of the finished files of a folder, sorted; none where there is no such folder."""
        with self._explained(f"list {folder} in {self}"):
            try:
                listed = self.system.ls(f"{self.root}/{folder}", detail=False, refresh=True)
            except FileNotFoundError:
                return []
        names = (str(path).rsplit("/", 1)[-1] for path in listed)
        return sorted(f"{folder}/{name}" for name in names if not name.endswith(TEMPORARY))

    def folders(self) -> list[str]:
        """Names of the folders in the place."""
        with self._explained(f"list {self}"):
            try:
                listed = self.system.ls(self.root, detail=True, refresh=True)
            except FileNotFoundError:
                return []
        return sorted(str(entry["name"]).rstrip("/").rsplit("/", 1)[-1] for entry in listed if entry["type"] == "directory")

    def remove(self, names: Iterable[str]) -> None:
        """Removes files; those that are not there are gone already."""
        with self._explained(f"remove files from {self}"):
            for name in names:
                with suppress(FileNotFoundError):
                    self.system.rm_file(f"{self.root}/{name}")

    @contextmanager
    def _explained(self, asked: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise StoreError(asked, f"no such file: {error}", "compute it again, or restore a copy of the folder") from error
        except OSError as error:
            raise StoreError(
                asked, str(error) or type(error).__name__, "check space, permissions and connection", retryable=True
            ) from error


def put_local(path: Path, data: bytes, *, new: bool) -> bool:
    """A file of this machine: temporary name, bytes, fsync, final name, fsync of the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}{TEMPORARY}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if new:
            try:
                os.link(temporary, path)  # unlike a rename it never replaces
            except FileExistsError:
                return False
        else:
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_directory(path.parent)
    return True


def readable(connection: Any, place: Place) -> None:
    """Lets a DuckDB connection read a place that is no folder of this machine."""
    if not place.is_local:
        named = place.system.protocol
        if not connection.filesystem_is_registered(named if isinstance(named, str) else named[0]):
            connection.register_filesystem(place.system)
