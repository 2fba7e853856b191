"""From a trained folder to the shipped classifier: weights in place, figures computed from the saved float16 weights, the card written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from pipelines.training.bengali_hate.assembly import largest_difference, predicted, shape, write
from pipelines.training.bengali_hate.baseline import untrained
from pipelines.training.english_rationales.posts import LABELS, Post, hatexplain, toxic_spans
from pipelines.training.english_rationales.training import FIRST, PRETRAINING, SECOND, lowered

SHIPPED = Path(__file__).resolve().parents[3] / "workbench" / "models" / "embedded" / "english-toxic"
Figures = dict[str, Any]


def held_out() -> dict[str, list[Post]]:
    """What figures are computed on: HateXplain posts of our test part, sentences of Toxic Spans' trial comments."""
    return {"hatexplain": hatexplain("test"), "toxic_spans": toxic_spans("trial")}


def scores(labels: NDArray[np.int_], posts: list[Post]) -> dict[str, float]:
    """Posts, accuracy, macro-F1 and F1 by class, rounded to four digits."""
    truth = np.array([post.label for post in posts])
    single = f1_score(truth, labels, average=None, labels=range(len(LABELS)))
    found = {"accuracy": float((truth == labels).mean()), "macro_f1": float(single.mean())}
    found |= {f"f1_{label}": float(value) for label, value in zip(LABELS, single, strict=True)}
    return {"posts": len(posts)} | {name: round(value, 4) for name, value in found.items()}


def model_figures(folder: Path) -> Figures:
    """Scores of a saved classifier on everything held out."""
    return {name: scores(predicted(folder, posts).argmax(axis=1), posts) for name, posts in held_out().items()}  # type: ignore[arg-type]


def baseline_figures(train: list[Post]) -> Figures:
    """Scores of TF-IDF with logistic regression, trained on these texts in small letters."""
    model = untrained().fit([post.text for post in lowered(train)], [post.label for post in train])
    return {name: scores(model.predict([post.text for post in lowered(posts)]), posts) for name, posts in held_out().items()}


def all_figures(folder: Path) -> Figures:
    """The classifier beside two baselines: on the same texts, and on HateXplain's alone."""
    posts = hatexplain("train")
    return {
        "classifier": model_figures(folder),
        "baseline": baseline_figures(posts + toxic_spans("train")),
        "baseline_hatexplain": baseline_figures(posts),
    }


def assemble(out: Path, seeds: list[int], ship: int, shipped: Path = SHIPPED) -> Figures:
    """Copy one seed's classifier into the package, compute every figure, write figures.json and CARD.md."""
    folder = out / f"english-toxic-{ship}"
    figures: Figures = {
        "seed": ship,
        "posts": {
            "hatexplain": {part: len(hatexplain(part)) for part in ("train", "validation", "test")},
            "toxic_spans": {part: len(toxic_spans(part)) for part in ("train", "validation", "trial")},
        },
        "shape": described(folder),
        **all_figures(folder),
        "seeds": {str(seed): model_figures(out / f"english-toxic-{seed}") for seed in seeds},
    }
    shipped.mkdir(parents=True, exist_ok=True)
    shutil.copytree(folder, shipped, dirs_exist_ok=True)
    (shipped / "model.safetensors").chmod(0o644)
    write(shipped / "figures.json", figures)
    (shipped / "CARD.md").write_text(card(figures), encoding="utf-8")
    return figures


def described(folder: Path) -> dict[str, int]:
    """Vocabulary, layers, width, parameters and passes."""
    found = {name: value for name, value in shape(folder, "wordpiece").items() if name != "finetuning"}
    return {**found, "pretraining": PRETRAINING, "first": FIRST[0], "second": SECOND[0]}


def card(figures: Figures) -> str:
    """The card in Markdown, written from the figures so that it cannot state others."""
    environment = Environment(
        loader=PackageLoader("pipelines.training.english_rationales", "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    rows = [
        ("**english-toxic**", figures["classifier"]),
        ("TF-IDF words 1-2 + characters 2-5, balanced logistic regression, same texts", figures["baseline"]),
        ("the same, trained on HateXplain alone", figures["baseline_hatexplain"]),
    ]
    return environment.get_template("card.md.jinja").render(figures=figures, rows=rows) + "\n"


def evaluate(shipped: Path = SHIPPED) -> tuple[Figures, float]:
    """The figures of the shipped weights recomputed now, and their largest difference from the stated ones."""
    stated = json.loads((shipped / "figures.json").read_text(encoding="utf-8"))
    found = all_figures(shipped)
    return found, largest_difference(found, {name: stated[name] for name in found})
