"""Measure a translation model: BLEU and chrF with their signatures, by beam search, from the weights as they are shipped.

`WORKBENCH_MIRROR=... OMP_NUM_THREADS=1 python -m pipelines.training.translation.measure translation-fr-en`
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from sacrebleu.metrics import BLEU, CHRF

from pipelines.training.translation import material
from pipelines.training.translation.__main__ import say
from pipelines.training.translation.pairs import Pair, lines, multi30k
from pipelines.training.translation.recipes import RECIPES, Recipe
from workbench.models.translation import load_translator, translate

Figures = dict[str, Any]
BEAMS = 4
CAPTIONS = {"2016": "test_2016_flickr", "2017": "test_2017_flickr", "MSCOCO": "test_2017_mscoco"}
CODES = {"fr": "fra", "gu": "guj", "kk": "kaz", "en": "eng"}


def tests(recipe: Recipe, mirror: Path) -> Iterator[tuple[str, list[Pair]]]:
    """What a recipe's model is measured on: of its own kind first, then what it was not made for."""
    folder = mirror / "nmt"
    foreign = CODES[recipe.source if recipe.target == "en" else recipe.target]
    if foreign == "fra":
        for title, part in CAPTIONS.items():
            yield f"Multi30k test {title}", material.directed(recipe, list(multi30k(mirror, part)))
    else:
        yield "held out of the same text", material.held_out(recipe, mirror, material.TEST)
        news = folder / "newstest" / f"{foreign}-eng.newstest2019"
        yield "newstest2019", joined(recipe, Path(f"{news}.{foreign}"), Path(f"{news}.eng"))
        yield "NTREX", joined(recipe, folder / "ntrex" / f"{foreign}.txt", folder / "ntrex" / "eng.txt")
    flores = folder / "flores"
    yield "FLORES devtest", joined(recipe, flores / f"flores101.devtest.{foreign}", flores / "flores101.devtest.eng")


def joined(recipe: Recipe, foreign: Path, english: Path) -> list[Pair]:
    """The pairs of two files, line by line, in the recipe's direction."""
    return material.directed(recipe, list(zip(lines(foreign), lines(english), strict=True)))


def scores(outputs: list[str], references: list[str], lowercase: bool = False) -> Figures:
    """Corpus BLEU and chrF, with what sacrebleu says of how they were computed."""
    bleu, chrf = BLEU(lowercase=lowercase), CHRF(lowercase=lowercase)
    found = {
        "bleu": round(bleu.corpus_score(outputs, [references]).score, 2),
        "chrf": round(chrf.corpus_score(outputs, [references]).score, 2),
    }
    return found | {"bleu_signature": str(bleu.get_signature()), "chrf_signature": str(chrf.get_signature())}


def measured(name: str, folder: Path | None, mirror: Path, beams: int = BEAMS, only: str = "") -> dict[str, Figures]:
    """Scores by test, of the embedded model or of the one in `folder`."""
    recipe = RECIPES[name]
    translator = load_translator(str(folder) if folder else name)
    found: dict[str, Figures] = {}
    for title, pairs in tests(recipe, mirror):
        if only and only not in title:
            continue
        # what is longer than the window counts as an empty translation
        sources = [source if len(translator.tokenizer(source)["input_ids"]) <= translator.window else "" for source, _ in pairs]
        began = time.process_time()
        made = iter(translate(translator, [source for source in sources if source], beams=beams))
        outputs = [next(made) if source else "" for source in sources]
        spent = time.process_time() - began
        row = {"sentences": len(pairs), "too_long": sources.count(""), "beams": beams, **scores(outputs, [target for _, target in pairs])}
        if recipe.lowercase:
            row["lowercase"] = scores(outputs, [target for _, target in pairs], lowercase=True)
        row["sentences_per_cpu_second"] = round(len(pairs) / spent, 1)
        row["examples"] = [[*pair, output] for pair, output in list(zip(pairs, outputs, strict=True))[:2]]
        found[title] = row
        say(f"{title}: BLEU {row['bleu']} ({row['bleu_signature']}), chrF {row['chrf']}, {row['sentences_per_cpu_second']} sentences/CPU-s")
    return found


def main(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(RECIPES)}.")],
    mirror: Annotated[Path, typer.Option(envvar="WORKBENCH_MIRROR", help="Folder that holds nmt/.")],
    folder: Annotated[Path | None, typer.Option(help="A trained folder, in place of the embedded model.")] = None,
    beams: int = BEAMS,
    only: Annotated[str, typer.Option(help="Measure on the tests with this in their name.")] = "",
) -> None:
    """Print scores and signatures by test."""
    torch.set_num_threads(1)
    measured(name, folder, mirror, beams, only)


if __name__ == "__main__":
    typer.run(main)
