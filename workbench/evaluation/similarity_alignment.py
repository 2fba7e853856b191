"""Do the interactions that a method finds stand where people aligned two texts? Average precision of cells against gold cells.

Interpretable STS (Agirre et al. 2016: chunks with types; a gold cell is a word of one chunk with a word of the other, of any type but
NOALI) and Edinburgh++ (Cohn et al. 2008: words; gold are the sure links). Words are what stands between blanks in the corpus; rows of
tokens are summed to words by shared characters before products (or cosines) are taken. Average precision by scikit-learn, over all cells
of a pair, and over the cells whose two words differ (case apart) for pairs with such a gold cell: where words are the same any comparison
of strings is right, and the figure over all cells flatters every method. `same_string` is that comparison.

A human alignment says what belongs together. It does not say what the model used: this is plausibility, not faithfulness.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from workbench import corpora
from workbench.attribution.words import overlaps
from workbench.document import Document, Word
from workbench.encoding import Encoding
from workbench.evaluation.intervals import mean_interval
from workbench.evaluation.similarity_encoder import Array
from workbench.evaluation.similarity_methods import METHODS, Computed, named
from workbench.models.encode import encode
from workbench.models.encoder import Encoder

#: Gold sets: name → corpus and split. Their training parts: nothing here is trained on them.
SETS = {
    "iSTS headlines": ("ists-alignments", "headlines"),
    "iSTS images": ("ists-alignments", "images"),
    "iSTS answers": ("ists-alignments", "answers-students"),
    "Edinburgh++": ("edinburgh-alignments", "train"),
}
ROLES = ("text_a", "text_b")
#: Types of alignments that are no gold cells.
NOT_GOLD = ("NOALI", "possible")
#: Methods compared; integrated Jacobians take seconds for each text.
COMPARED = tuple(name for name in METHODS if name != "integrated_jacobians")
SAME_STRING = "same_string"
SCHEMA = {"set": pl.String, "pair": pl.String, "method": pl.String, "words": pl.String, "precision": pl.Float64, "density": pl.Float64}

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Aligned:
    """Two texts, their words, and which cells `(left right)` people aligned."""

    identifier: str
    texts: tuple[str, str]
    words: tuple[tuple[Word, ...], tuple[Word, ...]]
    gold: NDArray[np.bool_]

    @property
    def same(self) -> NDArray[np.bool_]:
        """Cells of words that are the same string, case apart."""
        left, right = (np.array([word.form.casefold() for word in words]) for words in self.words)
        found: NDArray[np.bool_] = left[:, None] == right[None, :]
        return found


def aligned(document: Document) -> Aligned:
    """The gold cells of a pair from the spans of its alignments."""
    texts = (document.segments[ROLES[0]], document.segments[ROLES[1]])
    words = (blank_words(texts[0]), blank_words(texts[1]))
    gold = np.zeros((len(words[0]), len(words[1])), dtype=np.bool_)
    links = document.metadata.get("interactions")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, Mapping) and link.get("type") not in NOT_GOLD:
            gold |= np.outer(_inside(words[0], link.get("a")), _inside(words[1], link.get("b")))
    return Aligned(document.identifier, texts, words, gold)


def blank_words(text: str) -> tuple[Word, ...]:
    """What stands between blanks."""
    found: list[Word] = []
    place = 0
    for form in text.split():
        place = text.index(form, place)
        found.append(Word(len(found), place, place + len(form), form))
        place += len(form)
    return tuple(found)


def _inside(words: Sequence[Word], spans: object) -> NDArray[np.bool_]:
    chosen = [(int(start), int(end)) for start, end in spans] if isinstance(spans, list) else []
    return np.array([any(start <= word.char_start and word.char_end <= end for start, end in chosen) for word in words], dtype=np.bool_)


def gold_pairs(name: str, limit: int, seed: int = 0) -> list[Aligned]:
    """At most `limit` pairs of a set, drawn by seed among those with a gold cell.

    Raises InputError where the set's corpus is not at hand.
    """
    corpus, split = SETS[name]
    found = [pair for pair in map(aligned, corpora.read(corpora.find(corpus), split)) if pair.gold.any()]
    chosen = np.random.default_rng(seed).permutation(len(found))[:limit]
    return [found[place] for place in sorted(chosen.tolist())]


def average_precisions(cells: Array, pair: Aligned) -> dict[str, float]:
    """Average precision of cells `(left right)` over `all` words and over `different` ones, where a gold cell is among them."""
    different = ~pair.same
    found = {"all": float(average_precision_score(pair.gold.ravel(), cells.ravel()))}
    if pair.gold[different].any():
        found["different"] = float(average_precision_score(pair.gold[different], cells[different]))
    return found


def alignment(
    encoder: Encoder,
    sets: Mapping[str, Sequence[Aligned]],
    methods: Sequence[str] = COMPARED,
    progress: Progress = lambda *_: None,
) -> pl.DataFrame:
    """Average precision of every pair by every method, same strings and chance included: columns of `SCHEMA`."""
    found: list[tuple[object, ...]] = []
    for name, pairs in sets.items():
        texts = list(dict.fromkeys(text for pair in pairs for text in pair.texts))
        encodings = dict(zip(texts, (encode(encoder.tokenizer, text, encoder.window) for text in texts), strict=True))

        computed = Computed(encoder.module, list(dict.fromkeys(encodings.values())))

        def note(method: str, pair: Aligned, cells: Array, name: str = name) -> None:
            densities = {"all": pair.gold.mean(), "different": pair.gold[~pair.same].mean() if (~pair.same).any() else 0.0}
            for words, value in average_precisions(cells, pair).items():
                found.append((name, pair.identifier, method, words, value, float(densities[words])))

        for done, (method, compared) in enumerate(named(methods).items()):
            progress(name, done, len(methods))
            rows = computed.rows(compared)
            for pair in pairs:
                sides = [
                    by_word(rows[encodings[text]].tokens, encodings[text], words)
                    for text, words in zip(pair.texts, pair.words, strict=True)
                ]
                note(method, pair, compared.cells(*sides))
        for pair in pairs:
            note(SAME_STRING, pair, pair.same.astype(np.float64))
        progress(name, len(methods), len(methods))
    return pl.DataFrame(found, schema=SCHEMA, orient="row")


def by_word(rows: Array, encoding: Encoding, words: Sequence[Word]) -> Array:
    """Rows of words `(word dim)`: sums of the rows of their tokens."""
    summed: Array = overlaps(encoding, words).T @ rows
    return summed


def summary(found: pl.DataFrame, seed: int = 0) -> pl.DataFrame:
    """Mean average precision by set, words and method with its interval, best first, and the mean share of gold cells."""
    rows = []
    for (name, words, method), part in found.group_by("set", "words", "method", maintain_order=True):
        low, high = mean_interval(part["precision"].to_numpy(), seed)
        row = {"set": name, "words": words, "method": method, "pairs": part.height, "precision": part["precision"].mean()}
        rows.append({**row, "low": low, "high": high, "density": part["density"].mean()})
    order = pl.col("set").cast(pl.Enum(list(dict.fromkeys(found["set"]))))
    return pl.DataFrame(rows).sort(order, "words", -pl.col("precision"))
