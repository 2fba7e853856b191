"""Files of a corpus on this machine: copied once from the local mirror or its address, and never used without their checksum."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from workbench import fingerprint
from workbench.corpora.declaration import Declaration, SourceFile
from workbench.corpora.download import download
from workbench.errors import InputError

#: A folder that holds downloaded corpora, laid out as `source.mirror` of the declarations says.
MIRROR_VARIABLE = "WORKBENCH_MIRROR"
CACHE_VARIABLE = "WORKBENCH_CACHE"


def cache_folder() -> Path:
    """The user's cache: WORKBENCH_CACHE, else `workbench` in XDG_CACHE_HOME or ~/.cache."""
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "workbench"


def locate(declaration: Declaration, file: SourceFile, *, network: bool = False) -> Path:
    """The verified local path of one file of a corpus.

    Looked for beside the declaration, in the cache, in the mirror and, where `network` allows it, at its https address.
    Raises InputError that names the file, both checksums and what to do.
    """
    if file.query is not None and file.path.startswith("postgres"):
        return Path(file.path)  # a server has no file
    beside = declaration.folder / Path(file.path).expanduser()
    if beside.exists():
        return _verified(declaration, file, beside, "restore the file, or register your changed one with `workbench corpus add`")
    cached = _cached(declaration, file)
    if cached.exists() and file.sha256 is not None and checksum(cached) == file.sha256:
        return cached
    mirrored = _mirrored(declaration, file)
    if mirrored is not None and mirrored.exists():
        _verified(declaration, file, mirrored, f"replace the file in the mirror ({MIRROR_VARIABLE}) by the published one")
        return mirrored if mirrored.is_dir() else _keep(file, cached, mirrored)
    if network and file.url is not None:
        return _keep(file, cached, None)
    raise _absent(declaration, file, mirrored)


def is_here(declaration: Declaration, file: SourceFile) -> bool:
    """Whether the file is on this machine; its checksum is looked at when it is read."""
    if file.query is not None and file.path.startswith("postgres"):
        return True
    beside, mirrored = declaration.folder / Path(file.path).expanduser(), _mirrored(declaration, file)
    return beside.exists() or _cached(declaration, file).exists() or (mirrored is not None and mirrored.exists())


def checksum(path: Path) -> str:
    """SHA-256 of a file, or the fingerprint of all files of a folder (names and bytes)."""
    if path.is_dir():
        return fingerprint.of_files([item for item in path.rglob("*") if item.is_file()], path)
    return fingerprint.of_file(path)


def _cached(declaration: Declaration, file: SourceFile) -> Path:
    return cache_folder() / "corpora" / declaration.name / (file.sha256 or "unverified")[:16] / Path(file.path).name


def _mirrored(declaration: Declaration, file: SourceFile) -> Path | None:
    folder = os.environ.get(MIRROR_VARIABLE)
    if not folder or declaration.source.mirror is None:
        return None
    return Path(folder).expanduser() / declaration.source.mirror / file.path


def _verified(declaration: Declaration, file: SourceFile, path: Path, remedy: str) -> Path:
    if file.sha256 is None:
        return path
    try:
        found = checksum(path)
    except OSError as error:
        raise InputError(f"read {path}", f"{error.strerror or error}", "check the file and its permissions") from None
    if found != file.sha256:
        raise InputError(
            f"read {file.path} of the corpus {declaration.name}",
            f"the file {path} has the checksum {found}, declared is {file.sha256} (SHA-256)",
            remedy,
        )
    return path


def _keep(file: SourceFile, cached: Path, origin: Path | None) -> Path:
    """Copy (or download) into the cache beside the place, verify the copy, then put it in place in one step."""
    temporary: Path | None = None
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=cached.parent, prefix=".part-")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as target:
            if origin is not None:
                with origin.open("rb") as source:
                    shutil.copyfileobj(source, target, fingerprint.CHUNK_BYTES)
            elif file.url is not None:
                download(file.url, target)
            target.flush()
            os.fsync(target.fileno())
        found = fingerprint.of_file(temporary)
        if file.sha256 is not None and found != file.sha256:
            origin_name = str(origin or file.url)
            raise InputError(
                f"fetch {file.path} from {origin_name}",
                f"the copy has the checksum {found}, declared is {file.sha256} (SHA-256)",
                "try again; if it stays, the published file has changed: report it, or declare the new checksum after looking at the file",
                retryable=True,
            )
        temporary.replace(cached)
    except OSError as error:
        raise InputError(
            f"keep {file.path} in the cache {cache_folder()}",
            f"{error.strerror or error}",
            f"make room or permit writing there, or name another folder: {CACHE_VARIABLE}=/a/folder",
        ) from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
    return cached


def _absent(declaration: Declaration, file: SourceFile, mirrored: Path | None) -> InputError:
    source = declaration.source
    looked = [str(declaration.folder / file.path), str(cache_folder() / "corpora" / declaration.name)]
    if source.mirror:
        looked.append(str(mirrored) if mirrored else f"a mirror ({MIRROR_VARIABLE} is not set)")
    ways = [f"`workbench corpus fetch {declaration.name}` downloads it"] if file.url else []
    if source.mirror:
        ways.append(f"set {MIRROR_VARIABLE} to a folder that holds {source.mirror}/{file.path}")
    if not ways:
        ways.append(f"put it at {declaration.folder / file.path}")
    return InputError(f"read {file.path} of the corpus {declaration.name}", f"no such file in {'; '.join(looked)}", ", or ".join(ways))
