"""Train the embedded pipelines: `WORKBENCH_MIRROR=... OMP_NUM_THREADS=1 python -m pipelines.training.universal english german`.

Writes each pipeline, measures what it wrote (read again from its folder), and writes figures.json and CARD.md beside it.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from pipelines.training.universal import measure, training
from pipelines.training.universal.languages import RECIPES

EMBEDDED = Path(__file__).parents[3] / "workbench" / "annotation" / "embedded"


def say(line: str) -> None:
    """Print a line at once."""
    typer.echo(f"{time.strftime('%H:%M:%S')} {line}")


def main(
    names: Annotated[list[str], typer.Argument(help=f"Of {', '.join(RECIPES)}.")],
    mirror: Annotated[Path, typer.Option(envvar="WORKBENCH_MIRROR", help="Folder that holds ud/.")],
    out: Annotated[Path, typer.Option(help="Folder of the pipelines.")] = EMBEDDED,
    seed: int = 20,
    measured: Annotated[bool, typer.Option("--measure-only", help="Measure what is there; train nothing.")] = False,
) -> None:
    """Train, write, measure."""
    for name in names:
        recipe, folder = RECIPES[name], out / name
        if not measured:
            started = time.process_time()
            nlp = training.train(recipe, mirror, seed, say)
            description = f"{name.capitalize()} words: part of speech, features, lemmas, dependencies (Universal Dependencies); see CARD.md"
            licences = {part.licence for part in recipe.train} - {"CC BY 4.0", "CC BY-SA 3.0"}  # those two may go on as CC BY-SA 4.0
            licence = " and ".join(sorted(licences))
            nlp.meta.update({"name": name, "version": "1.0.0", "description": description, "license": licence})
            nlp.meta.update({"training": {"seed": seed, "epochs": recipe.epochs, "cpu_seconds": round(time.process_time() - started)}})
            nlp.to_disk(folder)
        measure.write(recipe, folder, mirror, say)


if __name__ == "__main__":
    typer.run(main)
