"""Put a model into the package: averaged weights of the last checkpoint in float16, figures computed from them, a card.

`WORKBENCH_MIRROR=... python -m pipelines.training.translation.ship translation-fr-en --out OUT`; training may be under way.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from jinja2 import Environment, PackageLoader, StrictUndefined
from transformers import PreTrainedTokenizerFast

from pipelines.training.translation import material, pairs
from pipelines.training.translation.__main__ import say
from pipelines.training.translation.architecture import untrained
from pipelines.training.translation.measure import Figures, measured
from pipelines.training.translation.recipes import RECIPES
from pipelines.training.translation.sources import SOURCES

EMBEDDED = Path(__file__).resolve().parents[3] / "workbench" / "models" / "embedded"


def weights(name: str, out: Path, folder: Path) -> dict[str, Any]:
    """Write the averaged weights of the last checkpoint, with configuration and tokenizer; gives the progress of the training."""
    recipe = RECIPES[name]
    state = torch.load(out / name / "checkpoint.pt", weights_only=True)
    base = PreTrainedTokenizerFast.from_pretrained(out / f"tokenizer-{recipe.tokenizer}")
    own = {"source_lang": recipe.source, "target_lang": recipe.target, "padding_side": "right", "model_max_length": base.model_max_length}
    marks = {"eos_token": base.eos_token, "unk_token": base.unk_token, "pad_token": base.pad_token}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=base.backend_tokenizer, **marks, **own)
    model = untrained(recipe.shape, tokenizer, recipe.dropout)
    prefix = "module."
    model.load_state_dict({key.removeprefix(prefix): value for key, value in state["average"].items() if key.startswith(prefix)})
    model.half().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    progress: dict[str, Any] = state["progress"]
    return progress


def ship(name: str, mirror: Path, out: Path, folder: Path) -> Figures:
    """Weights, figures.json and CARD.md."""
    recipe = RECIPES[name]
    folder.mkdir(parents=True, exist_ok=True)
    progress = weights(name, out, folder)
    found = material.parallel(recipe, mirror)
    counts = {key: sum(pairs.fraction(pair) < recipe.share for pair in all_) for key, all_ in found.items()}
    others = {
        key: len({pair[recipe.target == "en"] for pair in all_ if pairs.fraction(pair) >= recipe.share}) if recipe.back_translated else 0
        for key, all_ in found.items()
    }
    config = json.loads((folder / "config.json").read_text("utf-8"))
    figures: Figures = {
        "name": name,
        "parameters": sum(weight.numel() for weight in untrained(recipe.shape, base_of(folder), 0.0).parameters()),
        "vocabulary": config["vocab_size"],
        "bytes": (folder / "model.safetensors").stat().st_size,
        "pairs": counts,
        "back_translated": others,
        "training": {key: progress[key] for key in ("round", "updates", "tokens", "seconds")}
        | {"rounds": recipe.rounds, "seed": recipe.seed},
        "history": progress["history"],
        "tests": measured(name, folder, mirror),
    }
    (folder / "figures.json").write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (folder / "CARD.md").write_text(card(figures), encoding="utf-8")
    return figures


def base_of(folder: Path) -> PreTrainedTokenizerFast:
    """The tokenizer of a written folder."""
    return PreTrainedTokenizerFast.from_pretrained(folder)


def card(figures: Figures) -> str:
    """The card in Markdown, written from the figures so that it cannot state others."""
    environment = Environment(
        loader=PackageLoader("pipelines.training.translation", "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    recipe = RECIPES[figures["name"]]
    return environment.get_template("card.md.jinja").render(figures=figures, recipe=recipe, sources=SOURCES) + "\n"


def main(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(name for name, recipe in RECIPES.items() if recipe.shipped)}.")],
    mirror: Annotated[Path, typer.Option(envvar="WORKBENCH_MIRROR", help="Folder that holds nmt/.")],
    out: Annotated[Path, typer.Option(help="Folder of the checkpoints.")],
    folder: Annotated[Path | None, typer.Option(help="Where to write, in place of the package.")] = None,
) -> None:
    """Write the model's folder."""
    torch.set_num_threads(1)
    ship(name, mirror, out, folder or EMBEDDED / name)
    say(f"wrote {folder or EMBEDDED / name}")


if __name__ == "__main__":
    typer.run(main)
