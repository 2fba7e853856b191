"""Further pairs for a model with little parallel text: sentences of its target language, translated back by a model of the other way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from transformers import MarianMTModel, PreTrainedTokenizerFast

from pipelines.training.translation.decoding import greedy
from pipelines.training.translation.pairs import Pair

PORTION = 1000
"""Sentences translated and kept at a time."""


def back_translated(
    name: str, others: dict[str, list[Pair]], out: Path, report: Callable[[str], None], device: str = "cpu"
) -> dict[str, list[Pair]]:
    """Pairs whose target is a real sentence and whose source the named model made of it; the real sources are not looked at.

    What is translated is kept in `out`, so that an interrupted run goes on; raises FileNotFoundError while the model is not trained.
    """
    return {
        key: list(zip(sources(name, key, targets(found), out, report, device), targets(found), strict=True))
        for key, found in others.items()
    }


def targets(found: list[Pair]) -> list[str]:
    """The distinct target sides in their order."""
    return list(dict.fromkeys(target for _, target in found))


def sources(name: str, collection: str, texts: list[str], out: Path, report: Callable[[str], None], device: str) -> list[str]:
    """Translations of texts, from the file that holds those made before and for the rest from the model."""
    path = out / name / f"translated-{collection}.jsonl"
    # a line that an interruption cut off has no end, and is made again
    written = path.read_text("utf-8").rpartition("\n")[0] if path.is_file() else ""
    done = [json.loads(line) for line in written.split("\n")] if written else []
    if len(done) < len(texts):
        model = MarianMTModel.from_pretrained(out / name / "model").eval().to(device)
        tokenizer = PreTrainedTokenizerFast.from_pretrained(out / name / "model")
        path.write_text(written and written + "\n", encoding="utf-8")
        with path.open("a", encoding="utf-8") as file:
            for start in range(len(done), len(texts), PORTION):
                found = greedy(model, tokenizer, texts[start : start + PORTION], size=250)
                file.writelines(json.dumps(text, ensure_ascii=False) + "\n" for text in found)
                file.flush()
                done.extend(found)
                report(f"{len(done)} of {len(texts)} sentences of {collection} translated back")
    return done
