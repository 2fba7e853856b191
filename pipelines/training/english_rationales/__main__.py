"""Training of `english-toxic`: begin (tokenizer, pretraining), finish (fine-tuning), assemble (weights, figures, card), evaluate."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import torch
import typer

from pipelines.training.english_rationales import assembly, training
from pipelines.training.english_rationales.posts import use_mirror

application = typer.Typer(add_completion=False, help=__doc__)
Mirror = Annotated[Path, typer.Option(help="Folder that holds rationales/, ud/ and nmt/.", envvar="WORKBENCH_MIRROR")]
Start = Annotated[Path, typer.Option(help="Folder that `begin` wrote.")]
Out = Annotated[Path, typer.Option(help="Folder for what is trained.")]

TOLERANCE = 0.005
"""Two posts that fall on the other side on another processor move the F1 of a class by this much."""


def say(line: str) -> None:
    """Print a line at once, with the time and the CPU seconds spent."""
    typer.echo(f"{time.strftime('%H:%M:%S')} {time.process_time():.0f} CPU-s  {line}")


def prepare(mirror: Path) -> None:
    """One thread; corpora come from the mirror."""
    torch.set_num_threads(1)
    use_mirror(mirror)


@application.command()
def begin(mirror: Mirror, out: Out, seed: int = 0) -> None:
    """Tokenizer, singular-vector start and masked-language pretraining."""
    prepare(mirror)
    say(f"wrote {training.begin(mirror, seed, out, say)}")


@application.command()
def finish(mirror: Mirror, out: Out, start: Start, seed: int = 0) -> None:
    """Fine-tune from the pretrained start."""
    prepare(mirror)
    say(f"wrote {training.finish(seed, start, out, say)}")


@application.command()
def assemble(mirror: Mirror, out: Out, seeds: Annotated[list[int], typer.Option(help="Seeds to report.")] = [0], ship: int = 0) -> None:  # noqa: B006
    """Put one seed's classifier into the package and write figures and card."""
    prepare(mirror)
    say(str(assembly.assemble(out, seeds, ship)))


@application.command()
def evaluate(mirror: Mirror) -> None:
    """Recompute all figures of the card from the shipped weights; exit code 1 if one differs by more than a post or two can do."""
    prepare(mirror)
    found, gap = assembly.evaluate()
    for name, row in found.items():
        say(f"{name:20} macro-F1 HateXplain {row['hatexplain']['macro_f1']:.4f} Toxic Spans {row['toxic_spans']['macro_f1']:.4f}")
    say(f"largest difference from the figures of the card: {gap:.4f}")
    raise typer.Exit(0 if gap <= TOLERANCE else 1)


if __name__ == "__main__":
    application()
