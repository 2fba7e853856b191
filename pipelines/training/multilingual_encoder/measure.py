"""Spearman correlation with people's scores: the student, its teacher, and bags of their static token embeddings.

`WORKBENCH_MIRROR=... python -m pipelines.training.multilingual_encoder.measure` prints the table of the shipped encoder.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from pipelines.training.multilingual_encoder.pairs import SHOWN, Pair, benchmark, sides
from pipelines.training.multilingual_encoder.teacher import NAME, embeddings
from workbench.corpora import find, read
from workbench.models.encoder import Encoder, load_encoder

SHIPPED = "multilingual-similarity"
Table = dict[str, dict[str, float]]
Vectors = NDArray[np.float32]


def bag(encoder: Encoder, texts: list[str]) -> Vectors:
    """Means (text width) of the static embeddings of each text's tokens, special tokens left out, normalised."""
    module: Any = encoder.module
    table = module[0].auto_model.get_input_embeddings().weight.detach().numpy()
    ids = encoder.tokenizer(texts, add_special_tokens=False)["input_ids"]
    means = np.stack([table[list(row)].mean(0) if row else np.zeros(table.shape[1], np.float32) for row in ids])
    found: Vectors = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
    return found


def correlation(embed: Callable[[list[str]], Vectors], first: list[str], second: list[str], gold: list[float]) -> float:
    """Spearman x 100 of cosines with the gold scores, to two digits."""
    distinct = sorted({*first, *second})
    vectors = dict(zip(distinct, embed(distinct), strict=True))
    cosines = [float(vectors[one] @ vectors[other]) for one, other in zip(first, second, strict=True)]
    return round(100 * float(spearmanr(cosines, gold).statistic), 2)


def on_benchmark(embed: Callable[[list[str]], Vectors], pairs: list[Pair]) -> dict[str, float]:
    """The correlation on STS-B pairs, within each language and across every two."""
    gold = [pair.similarity for pair in pairs]
    known: dict[str, NDArray[np.float32]] = {}

    def remembered(texts: list[str]) -> Vectors:
        fresh = [text for text in texts if text not in known]
        if fresh:
            known.update(zip(fresh, embed(fresh), strict=True))
        return np.stack([known[text] for text in texts])

    return {name: correlation(remembered, *sides(pairs, name), gold) for name in SHOWN}


def on_sick(embed: Callable[[list[str]], Vectors]) -> float:
    """The correlation on the test split of SICK, in English; nothing of SICK was trained on."""
    documents = list(read(find("sick"), "test"))
    first, second = ([document.segments[role] for document in documents] for role in ("text_a", "text_b"))
    return correlation(embed, first, second, [float(str(document.metadata["similarity"])) for document in documents])


def on_test(embed: Callable[[list[str]], Vectors]) -> dict[str, float]:
    """The correlations on the test splits of STS-B and of SICK."""
    return on_benchmark(embed, benchmark("test")) | {"sick": on_sick(embed)}


def both(encoder: Encoder, name: str) -> Table:
    """Correlations of an encoder, under its name, and of a bag of its static embeddings."""
    return {
        name: on_test(lambda texts: embeddings(encoder, texts)),
        f"bag of the {name}": on_test(lambda texts: bag(encoder, texts)),
    }


def lines(table: Table) -> list[str]:
    """The table as lines of text."""
    head = f"{'Spearman x 100':20}" + "".join(f"{name:>8}" for name in (*SHOWN, "sick"))
    return [head, *(f"{name:20}" + "".join(f"{value:8.2f}" for value in row.values()) for name, row in table.items())]


def main(folder: Path | None = None) -> Table:
    """Measures the shipped encoder, or the one in a folder, beside its teacher."""
    return both(load_encoder(str(folder or SHIPPED)), "student") | both(load_encoder(NAME), "teacher")


if __name__ == "__main__":
    print("\n".join(lines(main())))  # noqa: T201
