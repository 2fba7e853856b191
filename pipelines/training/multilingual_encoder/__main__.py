"""Training of `multilingual-similarity`: prepare (rows, teacher, start), distil, tune, assemble (weights, figures, card); and lexicons."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import torch
import typer

from pipelines.training.english_rationales.posts import use_mirror
from pipelines.training.multilingual_encoder import assembly, lexicon, preparation, training
from pipelines.training.multilingual_encoder.journal import note
from workbench.annotation.translations import FOLDER as LEXICONS

application = typer.Typer(add_completion=False, help=__doc__)
Mirror = Annotated[Path, typer.Option(help="Folder that holds similarity/, ud/ and nmt/.", envvar="WORKBENCH_MIRROR")]
Out = Annotated[Path, typer.Option(help="Folder for what is prepared and trained.")]


def say(line: str) -> None:
    """Print a line at once, with the time and the CPU seconds spent."""
    typer.echo(f"{time.strftime('%H:%M:%S')} {time.process_time():.0f} CPU-s  {line}")


def ready(mirror: Path) -> None:
    """One thread; corpora come from the mirror."""
    torch.set_num_threads(1)
    use_mirror(mirror)


@application.command()
def prepare(mirror: Mirror, out: Out, multi30k: bool = False, seed: int = 0) -> None:
    """Collect rows, learn the vocabulary, start the student, and keep the teacher's answers."""
    ready(mirror)
    preparation.prepare(mirror, out, multi30k, seed, say)
    note(out, "prepare", seed=seed, multi30k=multi30k)


@application.command()
def distil(mirror: Mirror, out: Out, steps: int = 700, stop: int = 350, seed: int = 0) -> None:
    """First stage: the teacher's embeddings for every language."""
    ready(mirror)
    texts = training.distil(out, seed, say, steps, stop)
    note(out, "distil", seed=seed, planned=steps, steps=stop, texts=texts)


@application.command()
def tune(mirror: Mirror, out: Out, steps: int = 120, seed: int = 0) -> None:
    """Second stage: the scores of STS-B training pairs beside the teacher's embeddings."""
    ready(mirror)
    texts, development = training.tune(out, seed, say, steps)
    note(out, "tune", seed=seed, steps=steps, texts=texts, development=development)


@application.command()
def assemble(mirror: Mirror, out: Out) -> None:
    """Put the tuned encoder into the package and write figures and card."""
    ready(mirror)
    say(str(assembly.assemble(out)["test"]["student"]))


@application.command()
def lexicons(mirror: Mirror, seed: int = 0) -> None:
    """Word translations from the same parallel texts, into the annotation room."""
    ready(mirror)
    say(str(lexicon.make(mirror, LEXICONS, seed)))


if __name__ == "__main__":
    application()
