"""From trained folders to the shipped ensemble: weights in place, all figures computed from the saved float16 weights, the card written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from sklearn.metrics import f1_score
from transformers import AutoModelForSequenceClassification, PreTrainedTokenizerFast

from pipelines.training.bengali_hate.baseline import Probabilities, predict
from pipelines.training.bengali_hate.card import card
from pipelines.training.bengali_hate.figures import both, majority, mean_probability, spread
from pipelines.training.bengali_hate.finetuning import probabilities
from pipelines.training.bengali_hate.members import SHAPES, ids, texts
from pipelines.training.bengali_hate.posts import LABELS, Post, clean, read_split

MEMBERS = ("wordpiece", "unigram", "akshara")
SHIPPED = Path(__file__).resolve().parents[3] / "workbench" / "models" / "embedded" / "bengali-hate"
Figures = dict[str, Any]


def predicted(folder: Path, posts: list[Post]) -> Probabilities:
    """Probabilities (post label) of a saved member in float32."""
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32)
    return probabilities(model, ids(tokenizer, texts(posts)), tokenizer.pad_token_id)


def seed_figures(folders: list[Path], splits: dict[str, list[Post]], kept: list[bool]) -> Figures:
    """Validation macro-F1 and test scores of each member of one seed, and of their two votes."""
    truth = [post.label for post in splits["validation"]]
    found: Figures = {"members": {}, "ensemble": {}}
    parts: dict[str, list[Probabilities]] = {"validation": [], "test": []}
    for folder in folders:
        for split, collected in parts.items():
            collected.append(predicted(folder, splits[split]))
    for name, validation, test in zip(MEMBERS, parts["validation"], parts["test"], strict=False):
        score = round(float(f1_score(truth, validation.argmax(axis=1), average="macro")), 4)
        found["members"][name] = {"validation_macro_f1": score, **both(test.argmax(axis=1), splits["test"], kept)}
    for name, vote in (("majority", majority), ("mean_probability", mean_probability)):
        score = round(float(f1_score(truth, vote(parts["validation"]), average="macro")), 4)
        found["ensemble"][name] = {"validation_macro_f1": score, **both(vote(parts["test"]), splits["test"], kept)}
    return found


def shape(folder: Path, name: str) -> dict[str, int]:
    """What the card says of a member: its vocabulary, layers and parameters, passes of pretraining and fine-tuning."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))["backbone_config"]
    with safe_open(folder / "model.safetensors", framework="numpy") as weights:
        parameters = sum(int(np.prod(weights.get_slice(key).get_shape())) for key in weights.keys())  # noqa: SIM118 (not a mapping)
    passes = {"pretraining": SHAPES[name].pretraining, "finetuning": SHAPES[name].finetuning}
    return {
        "vocabulary": config["vocab_size"],
        "layers": config["num_hidden_layers"],
        "width": config["hidden_size"],
        "parameters": parameters,
        **passes,
    }


def load_posts(mirror: Path) -> tuple[dict[str, list[Post]], list[bool]]:
    """The three published splits, and for each test post whether it is clean."""
    splits = {split: read_split(mirror, split) for split in ("train", "validation", "test")}
    return splits, clean(splits["test"], splits["train"] + splits["validation"])


def assemble(mirror: Path, out: Path, seeds: list[int], ship: int | None = None, shipped: Path = SHIPPED) -> Figures:
    """Copy one seed's members into the package, compute every figure over `seeds`, write figures.json, ensemble.json and CARD.md.

    The seed is `ship`, or else the one whose mean-probability ensemble has the best validation macro-F1.
    """
    splits, kept = load_posts(mirror)
    present = [name for name in MEMBERS if all((out / f"{name}-{seed}").exists() for seed in seeds)]
    runs = {seed: seed_figures([out / f"{name}-{seed}" for name in present], splits, kept) for seed in seeds}
    ship = max(seeds, key=lambda seed: runs[seed]["ensemble"]["mean_probability"]["validation_macro_f1"]) if ship is None else ship
    baseline = predict(splits["train"], texts(splits["test"])).argmax(axis=1)
    figures: Figures = {
        "posts": {split: len(posts) for split, posts in splits.items()} | {"clean": sum(kept)},
        "seed": ship,
        "shapes": {name: shape(out / f"{name}-{ship}", name) for name in present},
        "baseline": both(baseline, splits["test"], kept),
        **runs[ship],
        "seeds": {str(seed): run for seed, run in runs.items()},
    }
    if len(seeds) > 1:
        kinds = [("members", name) for name in present] + [("ensemble", name) for name in ("majority", "mean_probability")]
        figures["spread"] = {name: spread([run[kind][name] for run in runs.values()]) for kind, name in kinds}
    shipped.mkdir(parents=True, exist_ok=True)
    for name in present:
        shutil.copytree(out / f"{name}-{ship}", shipped / name, dirs_exist_ok=True)
        (shipped / name / "model.safetensors").chmod(0o644)
    write(shipped / "ensemble.json", {"name": "bengali-hate", "members": present, "labels": list(LABELS)})
    write(shipped / "figures.json", figures)
    (shipped / "CARD.md").write_text(card(figures), encoding="utf-8")
    return figures


def evaluate(mirror: Path, shipped: Path = SHIPPED) -> tuple[Figures, Figures]:
    """The figures of the shipped weights recomputed now, and the stated ones."""
    stated = json.loads((shipped / "figures.json").read_text(encoding="utf-8"))
    splits, kept = load_posts(mirror)
    found = seed_figures([shipped / name for name in stated["members"]], splits, kept)
    found["baseline"] = both(predict(splits["train"], texts(splits["test"])).argmax(axis=1), splits["test"], kept)
    return found, {name: stated[name] for name in found}


def largest_difference(found: Any, stated: Any) -> float:
    """The largest absolute difference between numbers at the same place of two figures."""
    if isinstance(stated, dict):
        return max(largest_difference(found[name], value) for name, value in stated.items())
    return abs(float(found) - float(stated))


def write(path: Path, content: Any) -> None:
    """JSON with sorted meaning left in order, one value a line, a line break at the end."""
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
