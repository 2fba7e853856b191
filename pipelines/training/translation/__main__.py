"""Train a translation model, or go on: `WORKBENCH_MIRROR=... OMP_NUM_THREADS=1 python -m pipelines.training.translation NAME --out OUT`.

A run can be stopped at any time: the same command goes on from the last checkpoint and ends with the same weights.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import torch
import transformers
import typer

from pipelines.training.translation.recipes import RECIPES
from pipelines.training.translation.training import train


def say(line: str) -> None:
    """Print a line at once, with the time."""
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)  # noqa: T201


def main(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(RECIPES)}.")],
    mirror: Annotated[Path, typer.Option(envvar="WORKBENCH_MIRROR", help="Folder that holds nmt/.")],
    out: Annotated[Path, typer.Option(help="Folder of the checkpoints, tokenizers and back-translations.")],
    device: Annotated[str, typer.Option(help="cpu or cuda; a run may go on on another device, but then ends with other weights.")] = "cpu",
) -> None:
    """Train, keeping a checkpoint every five minutes; writes the model to OUT/NAME/model."""
    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity_error()
    say(f"wrote {train(name, mirror, out, say, device)}")


if __name__ == "__main__":
    typer.run(main)
