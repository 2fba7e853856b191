"""From a trained folder to the shipped encoder: float16 weights in place, figures computed from them, the card written."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import torch
from jinja2 import Environment, PackageLoader, StrictUndefined
from transformers import ElectraModel, PreTrainedTokenizerFast

from pipelines.training.bengali_hate.assembly import write
from pipelines.training.multilingual_encoder import measure, start, training
from pipelines.training.multilingual_encoder import rows as lines
from pipelines.training.multilingual_encoder.pairs import SHOWN, training_pairs
from pipelines.training.multilingual_encoder.sources import RESTRICTED, SOURCES
from pipelines.training.multilingual_encoder.student import save
from pipelines.training.multilingual_encoder.subwords import WINDOW
from pipelines.training.multilingual_encoder.teacher import NAME, embeddings
from workbench.models.encoder import load_encoder

SHIPPED = Path(__file__).resolve().parents[3] / "workbench" / "models" / "embedded" / measure.SHIPPED
Figures = dict[str, Any]


def assemble(out: Path, shipped: Path = SHIPPED) -> Figures:
    """Writes the tuned student into the package, measures what was written, writes figures.json and CARD.md."""
    model = place(out / "tuned", shipped)
    figures: Figures = {
        **json.loads((out / "journal.json").read_text(encoding="utf-8")),
        "rows": dict(Counter(row.source for row in lines.read(out / "rows.jsonl"))),
        "scored_pairs": len(training_pairs()),
        "shape": {
            "parameters": sum(value.numel() for value in model.parameters()),
            "vocabulary": model.config.vocab_size,
            "table": start.WIDTH,
            "layers": list(start.KEPT),
            "width": model.config.hidden_size,
            "window": WINDOW,
            "bytes": size(shipped),
        },
        "test": measure.both(load_encoder(str(shipped)), "student") | baselines(out),
    }
    write(shipped / "figures.json", figures)
    (shipped / "CARD.md").write_text(card(figures), encoding="utf-8")
    return figures


def baselines(out: Path) -> measure.Table:
    """Correlations of the teacher, and of the student at its start and after distillation; kept in a file, since they do not change."""
    kept = out / "baselines.json"
    if not kept.exists():
        found = measure.both(load_encoder(NAME), "teacher")
        for stage in ("start", "distilled"):
            place(out / stage, out / "measured" / stage)
            encoder = load_encoder(str(out / "measured" / stage))
            found[stage] = measure.on_test(partial(embeddings, encoder))
        write(kept, found)
    table: measure.Table = json.loads(kept.read_text(encoding="utf-8"))
    return table


def place(trained: Path, folder: Path) -> ElectraModel:
    """Writes a trained student in the layout of sentence-transformers: float16 weights that load in float32."""
    model: ElectraModel = ElectraModel.from_pretrained(trained, dtype=torch.float32)
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    save(model, PreTrainedTokenizerFast.from_pretrained(trained), folder)
    (folder / "model.safetensors").chmod(0o644)
    return model


def size(folder: Path) -> int:
    """Bytes of the files that make the model, card and figures left out."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.name not in ("CARD.md", "figures.json"))


def card(figures: Figures) -> str:
    """The card in Markdown, written from the figures so that it cannot state others."""
    environment = Environment(
        loader=PackageLoader("pipelines.training.multilingual_encoder", "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    rows = [
        ("**multilingual-similarity**", "student"),
        ("its bag of embeddings (mean of the static token embeddings)", "bag of the student"),
        ("the same student before training (aligned start)", "start"),
        ("the same student after distillation alone", "distilled"),
        (f"teacher, {NAME} (English)", "teacher"),
        ("the teacher's bag of embeddings", "bag of the teacher"),
    ]
    used = [source for source in (*SOURCES, RESTRICTED) if source.name in figures["rows"]]
    facts = {"figures": figures, "rows": rows, "shown": SHOWN, "sources": used, "restricted": RESTRICTED, "teacher": NAME}
    rates = {"rate": training.RATE, "scored_rate": training.SCORED_RATE, "pairs": training.PAIRS}
    return environment.get_template("card.md.jinja").render(**facts, **rates) + "\n"
