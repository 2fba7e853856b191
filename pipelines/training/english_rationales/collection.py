"""Plain English text for the masked-language start: training posts, web text and everyday sentences, nothing that is held out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipelines.training.bengali_hate.collection import cut
from pipelines.training.bengali_hate.posts import near_duplicates, normalised
from pipelines.training.english_rationales.posts import hatexplain
from workbench.corpora import find, read


def web(mirror: Path) -> Iterator[str]:
    """Sentences of the training part of the English Web Treebank (CC BY-SA 4.0)."""
    lines = (mirror / "ud" / "UD_English-EWT" / "en_ewt-ud-train.conllu").read_text(encoding="utf-8").splitlines()
    yield from (line.removeprefix("# text = ") for line in lines if line.startswith("# text = "))


def everyday(mirror: Path) -> Iterator[str]:
    """English sides of the Tatoeba pairs (CC BY 2.0 FR), each once."""
    lines = (mirror / "nmt" / "fra-eng" / "fra.txt").read_text(encoding="utf-8").splitlines()
    yield from dict.fromkeys(line.split("\t", 1)[0] for line in lines)


def comments(part: str) -> list[str]:
    """Whole Toxic Spans comments of a part."""
    return [document.segments["text"] for document in read(find("toxic-spans"), part)]


def labelled_texts() -> list[str]:
    """The texts of the training parts."""
    return [post.text for post in hatexplain("train")] + comments("train")


def collect(mirror: Path) -> list[str]:
    """Distinct texts of at least four words, none equal or close to a text held out for selection or test; order fixed by the files."""
    held_out = [post.text for part in ("validation", "test") for post in hatexplain(part)] + comments("trial")
    held_pieces = [piece for text in held_out for piece in cut(text)]
    raw = [*labelled_texts(), *web(mirror), *everyday(mirror)]
    distinct = {normalised(piece).lower(): piece for text in raw for piece in cut(text) if piece.count(" ") >= 3}
    texts = list(distinct.values())
    close = near_duplicates(texts, held_pieces)
    return [text for text, drop in zip(texts, close, strict=True) if not drop]
