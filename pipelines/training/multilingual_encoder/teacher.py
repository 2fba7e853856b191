"""The teacher's answers: one embedding for each English text, computed once and kept in a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from workbench.models.encoder import Encoder, load_encoder

NAME = "all-MiniLM-L6-v2"
TOGETHER = 4096


def load_teacher() -> Encoder:
    """all-MiniLM-L6-v2 from the installed package."""
    return load_encoder(NAME)


def embeddings(encoder: Encoder, texts: list[str]) -> NDArray[np.float32]:
    """Normalised embeddings (text dim) of texts, in their order."""
    module: Any = encoder.module
    found: NDArray[np.float32] = module.encode(texts, batch_size=64, normalize_embeddings=True, show_progress_bar=False)
    return found


def answers(texts: list[str], path: Path, report: Callable[[str], None]) -> NDArray[np.float16]:
    """The teacher's embeddings of English texts, kept in half precision (matrix products in bfloat16); from the file where it is there."""
    if not path.exists():
        encoder = load_teacher()
        parts = []
        for start in range(0, len(texts), TOGETHER):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                parts.append(embeddings(encoder, texts[start : start + TOGETHER]).astype(np.float16))
            report(f"teacher: {min(start + TOGETHER, len(texts))} of {len(texts)} texts")
        np.save(path, np.concatenate(parts))
    found: NDArray[np.float16] = np.load(path)
    return found
