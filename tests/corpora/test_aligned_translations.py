"""The reader of translations with links: both layouts, every option, and links that lead nowhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.corpora import Declaration, find, read
from workbench.document import Document
from workbench.errors import InputError

Write = Callable[..., Declaration]
FIELDS = {"segments": {"source": "source", "reference": "reference"}, "identifier": "id", "metadata": ["interactions"]}
APART = [
    {"path": "fr.txt", "split": "a", "role": "source"}, {"path": "en.txt", "split": "a", "role": "reference"},
    {"path": "links.txt", "split": "a", "part": "links"},
]  # fmt: skip
JOINED = [{"path": "both.txt", "split": "a"}, {"path": "links.txt", "split": "a", "part": "links"}]


def links(document: Document) -> list[tuple[str, str, Any]]:
    found: Any = document.metadata["interactions"]
    source, reference = document.segments["source"], document.segments["reference"]
    return [
        (" ".join(source[slice(*span)] for span in item["a"]), " ".join(reference[slice(*span)] for span in item["b"]), item["type"])
        for item in found
    ]


def test_sides_in_two_numbered_files(corpus: Write) -> None:
    files = {"fr.txt": "7\tle gros  chat\n8\tnon\n", "en.txt": "7\tthe cat\n8\tno\n", "links.txt": "7\t2-1 0-0 1p1 2p1 \n8\t\n"}
    first, second = read(corpus(files, "aligned_translations", FIELDS, declared=APART, options={"numbered": "yes"}))
    assert (first.identifier, second.identifier) == ("7", "8")
    assert first.segments == {"source": "le gros chat", "reference": "the cat"}
    assert links(first) == [("le", "the", "sure"), ("gros", "cat", "possible"), ("chat", "cat", "sure")]
    assert links(second) == []


def test_sides_in_one_file_the_reference_first_and_links_from_one(corpus: Write) -> None:
    files = {"both.txt": "the cat ||| le chat\n", "links.txt": "1-1 2p2\n"}
    options = {"separator": " ||| ", "first": "1", "order": "reference"}
    (document,) = read(corpus(files, "aligned_translations", FIELDS, declared=JOINED, options=options))
    assert document.segments == {"source": "le chat", "reference": "the cat"}
    assert links(document) == [("le", "the", "sure"), ("chat", "cat", "possible")]


def test_what_cannot_be_used_is_refused_alone(corpus: Write) -> None:
    files = {
        "both.txt": "a b ||| c d\na ||| c\na ||| c\na c\na ||| b\n",
        "links.txt": "0-0\n0-1\n0:0\n0-0\n0-0\n",
    }
    reading = read(corpus(files, "aligned_translations", FIELDS, declared=JOINED, options={"separator": " ||| "}))
    assert [document.identifier for document in reading] == ["1", "5"]
    assert [item.reason.partition(": ")[2] for item in reading.report.rejected] == [
        "a link to the word 1, which is not there", "'0:0' is no link", "1 texts between ' ||| '",
    ]  # fmt: skip
    numbered = {"fr.txt": "1\ta\n", "en.txt": "2\tb\n", "links.txt": "1\t0-0\n"}
    reading = read(corpus(numbered, "aligned_translations", FIELDS, declared=APART, options={"numbered": "yes"}))
    assert list(reading) == []
    assert "do not belong together: 1, 2" in reading.report.rejected[0].reason


def test_files_that_do_not_fit_are_refused(corpus: Write) -> None:
    files = {"fr.txt": "a\n", "en.txt": "b\nc\n", "links.txt": "0-0\n"}
    with pytest.raises(InputError, match=r"links\.txt has 1 lines, fr\.txt has 1 lines, en\.txt has 2 lines"):
        list(read(corpus(files, "aligned_translations", FIELDS, declared=APART)))
    with pytest.raises(InputError, match="0 files with part = 'links'"):
        list(read(corpus(files, "aligned_translations", FIELDS, declared=APART[:2])))
    with pytest.raises(InputError, match="use one of '0', '1'"):
        list(read(corpus(files, "aligned_translations", FIELDS, declared=APART, options={"first": "2"})))


@pytest.mark.parametrize(("name", "pairs", "sure", "possible"), [("hansards", 447, 4038, 13400), ("alibi", 522, 8452, 14147)])
def test_the_gold_sets_have_the_published_counts(
    name: str, pairs: int, sure: int, possible: int, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_MIRROR", str(mirror))
    declared = find(f"{name}-alignments")
    if not (mirror / str(declared.source.mirror)).is_dir():
        pytest.skip(f"the mirror has no {declared.source.mirror}")
    reading = read(declared)
    found = list(reading)
    assert len(found) == pairs
    assert not reading.report.rejected
    assert Counter(kind for document in found for _, _, kind in links(document)) == {"sure": sure, "possible": possible}
