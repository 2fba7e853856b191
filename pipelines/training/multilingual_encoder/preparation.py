"""What training starts from: rows, the teacher's answers, the tokenizer and the student with its first weights, all in one folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import set_seed

from pipelines.training.multilingual_encoder import rows as lines
from pipelines.training.multilingual_encoder.sources import RESTRICTED, SOURCES, collect
from pipelines.training.multilingual_encoder.start import student
from pipelines.training.multilingual_encoder.subwords import subwords
from pipelines.training.multilingual_encoder.teacher import answers, load_teacher


def prepare(mirror: Path, out: Path, multi30k: bool, seed: int, report: Callable[[str], None]) -> None:
    """Writes rows.jsonl, teacher.npy and start/ (model and tokenizer)."""
    set_seed(seed)
    out.mkdir(parents=True, exist_ok=True)
    rows = collect(mirror, (*SOURCES, RESTRICTED) if multi30k else SOURCES, seed)
    lines.write(rows, out / "rows.jsonl")
    report(", ".join(f"{name}: {count}" for name, count in Counter(row.source for row in rows).items()))
    encoder = load_teacher()
    tokenizer = subwords(rows, encoder.tokenizer)
    report(f"vocabulary {len(tokenizer)}")
    module: Any = encoder.module
    model = student(rows, tokenizer, module[0].auto_model, encoder.tokenizer, seed)
    model.save_pretrained(out / "start")
    tokenizer.save_pretrained(out / "start")
    report(f"start with {sum(parameter.numel() for parameter in model.parameters())} parameters")
    answers([row.texts["en"] for row in rows], out / "teacher.npy", report)
