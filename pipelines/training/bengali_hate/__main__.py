"""Training of the ensemble: begin (tokenizer, pretraining), finish (fine-tuning), assemble (weights, figures, card), evaluate."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import torch
import typer

from pipelines.training.bengali_hate import assembly, members

application = typer.Typer(add_completion=False, help=__doc__)
Mirror = Annotated[Path, typer.Option(help="Folder that holds bengali/deephate and the plain texts.", envvar="WORKBENCH_MIRROR")]
Member = Annotated[str, typer.Option(help="wordpiece, unigram or akshara")]
Start = Annotated[Path, typer.Option(help="Folder that `begin` wrote.")]
Out = Annotated[Path, typer.Option(help="Folder for what is trained.")]


TOLERANCE = 0.005
"""Two posts that fall on the other side on another processor move the F1 of a small class by this much."""


def say(line: str) -> None:
    """Print a line at once, with the time and the CPU seconds spent."""
    typer.echo(f"{time.strftime('%H:%M:%S')} {time.process_time():.0f} CPU-s  {line}")


@application.command()
def begin(mirror: Mirror, member: Member, out: Out, seed: int = 0) -> None:
    """Tokenizer, singular-vector start and masked-language pretraining of a member."""
    torch.set_num_threads(1)
    say(f"wrote {members.begin(mirror, member, seed, out, say)}")


@application.command()
def finish(mirror: Mirror, member: Member, out: Out, start: Start, seed: int = 0) -> None:
    """Fine-tune a member from its pretrained start."""
    torch.set_num_threads(1)
    say(f"wrote {members.finish(mirror, member, seed, start, out, say)}")


@application.command()
def assemble(mirror: Mirror, out: Out, seeds: Annotated[list[int], typer.Option(help="Seeds to report.")], ship: int | None = None) -> None:
    """Put one seed's members into the package and write figures and card; without --ship the best ensemble by validation is taken."""
    torch.set_num_threads(1)
    say(str(assembly.assemble(mirror, out, seeds, ship)["ensemble"]))


@application.command()
def evaluate(mirror: Mirror) -> None:
    """Recompute all figures of the card from the shipped weights; exit code 1 if one differs by more than a post or two can do."""
    torch.set_num_threads(1)
    found, stated = assembly.evaluate(mirror)
    for name, row in {**found["members"], **found["ensemble"], "baseline": found["baseline"]}.items():
        say(f"{name:17} macro-F1 published {row['published']['macro_f1']:.4f} clean {row['clean']['macro_f1']:.4f}")
    gap = assembly.largest_difference(found, stated)
    say(f"largest difference from the figures of the card: {gap:.4f}")
    raise typer.Exit(0 if gap <= TOLERANCE else 1)


if __name__ == "__main__":
    application()
