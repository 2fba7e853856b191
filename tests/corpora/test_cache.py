"""Files found beside the declaration, in the cache, in the mirror or at an address; never used without their checksum."""

from __future__ import annotations

import hashlib
import io
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.corpora import Declaration, fetch, list_corpora, read
from workbench.corpora.cache import cache_folder, checksum, locate
from workbench.corpora.download import download
from workbench.errors import InputError

Write = Callable[..., Declaration]

CONTENT = '{"text": "ক"}\n'.encode()
CHECKSUM = hashlib.sha256(CONTENT).hexdigest()
URL = "https://example.org/a.jsonl"


@pytest.fixture
def mirrored(corpus: Write) -> Declaration:
    """A corpus whose file is to be found in the mirror or at an address."""
    return corpus({}, declared=[{"path": "a.jsonl", "sha256": CHECKSUM, "url": URL}], source={"mirror": "some/folder"})


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in a mirror."""
    path = tmp_path / "mirror" / "some" / "folder" / "a.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    monkeypatch.setenv("WORKBENCH_MIRROR", str(tmp_path / "mirror"))
    return path


def test_a_mirrored_file_is_copied_once_and_then_the_mirror_may_go(mirrored: Declaration, shelf: Path) -> None:
    (file,) = mirrored.source.files
    first = locate(mirrored, file)
    assert first.is_relative_to(cache_folder())
    shelf.unlink()
    assert locate(mirrored, file) == first
    assert [item.name for item in first.parent.iterdir()] == ["a.jsonl"]


def test_a_damaged_copy_in_the_cache_is_replaced(mirrored: Declaration, shelf: Path) -> None:
    (file,) = mirrored.source.files
    copy = locate(mirrored, file)
    copy.write_bytes(b"damaged")
    assert locate(mirrored, file).read_bytes() == CONTENT


def test_a_changed_file_in_the_mirror_is_refused(mirrored: Declaration, shelf: Path) -> None:
    shelf.write_bytes(b"changed")
    with pytest.raises(InputError) as caught:
        list(read(mirrored))
    for words in ("a.jsonl", str(shelf), CHECKSUM, hashlib.sha256(b"changed").hexdigest(), "replace the file in the mirror"):
        assert words in str(caught.value)
    assert not list(cache_folder().rglob("*.jsonl"))


def test_a_changed_file_beside_the_declaration_is_refused(corpus: Write) -> None:
    changed = corpus({"a.jsonl": b"changed"}, declared=[{"path": "a.jsonl", "sha256": CHECKSUM}])
    with pytest.raises(InputError, match="restore the file, or register your changed one"):
        list(read(changed))


def test_where_the_file_was_looked_for_and_how_to_get_it(mirrored: Declaration, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        list(read(mirrored))
    for words in (
        "WORKBENCH_MIRROR is not set",
        "`workbench corpus fetch zoo`",
        "set WORKBENCH_MIRROR to a folder that holds some/folder/a.jsonl",
    ):
        assert words in str(caught.value)
    monkeypatch.setenv("WORKBENCH_MIRROR", str(tmp_path / "elsewhere"))
    with pytest.raises(InputError, match=r"elsewhere/some/folder/a\.jsonl"):
        list(read(mirrored))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_cache_that_cannot_be_written_as_a_user(mirrored: Declaration, shelf: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir(mode=0o500)
    with pytest.raises(InputError, match="WORKBENCH_CACHE=/a/folder"):
        list(read(mirrored))


def test_a_cache_that_cannot_be_a_folder(mirrored: Declaration, shelf: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file", encoding="utf-8")
    with pytest.raises(InputError, match="WORKBENCH_CACHE=/a/folder"):
        list(read(mirrored))


def test_listing_says_what_is_here_and_copies_nothing(mirrored: Declaration, shelf: Path) -> None:
    rows = {row["name"]: row["here"] for row in list_corpora()}
    assert rows["zoo"] is True
    assert rows["bengali-hate-sample"] is True
    assert not cache_folder().exists()


def test_a_folder_has_a_checksum(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "a").write_bytes(b"1")
    before = checksum(folder)
    (folder / "b").write_bytes(b"")
    assert checksum(folder) != before


class Answer(io.BytesIO):
    """An answer of a server."""

    url = URL


def serve(monkeypatch: pytest.MonkeyPatch, content: bytes, url: str = URL) -> list[str]:
    """Answer every request with the content; the list collects the addresses asked for."""
    asked: list[str] = []

    def urlopen(address: str, timeout: float) -> Answer:
        asked.append(address)
        answer = Answer(content)
        answer.url = url
        return answer

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    return asked


def test_only_fetch_goes_to_the_network(mirrored: Declaration, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = serve(monkeypatch, CONTENT)
    with pytest.raises(InputError):
        list(read(mirrored))
    assert asked == []
    found = fetch("zoo")
    assert asked == [URL]
    assert found["documents"] == 1
    assert [document.segments["text"] for document in read(mirrored)] == ["ক"]
    fetch("zoo")
    assert asked == [URL]


def test_a_download_with_another_checksum_is_not_kept(mirrored: Declaration, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, b"something else")
    with pytest.raises(InputError, match="the published file has changed") as caught:
        fetch("zoo")
    assert CHECKSUM in str(caught.value)
    assert not [path for path in cache_folder().rglob("*") if path.is_file()]


def test_downloads_stay_https_small_and_off_when_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, b"x" * 11)
    with pytest.raises(InputError, match="more than 10 bytes"):
        download(URL, io.BytesIO(), limit=10)
    with pytest.raises(InputError, match="not https"):
        download("http://example.org/a", io.BytesIO())
    serve(monkeypatch, b"x", url="http://example.org/a")
    with pytest.raises(InputError, match="a redirect to http:"):
        download(URL, io.BytesIO())
    monkeypatch.setenv("WORKBENCH_OFFLINE", "1")
    with pytest.raises(InputError, match="WORKBENCH_OFFLINE is set"):
        download(URL, io.BytesIO())


def test_an_address_that_does_not_answer_can_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def urlopen(address: str, timeout: float) -> Answer:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    with pytest.raises(InputError, match="no route to host") as caught:
        download(URL, io.BytesIO())
    assert caught.value.retryable
