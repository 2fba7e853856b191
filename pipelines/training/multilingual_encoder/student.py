"""The student in training: mean of the last states, length one; and its written form, a model of sentence-transformers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from torch import Tensor, nn
from torch.nn import functional
from transformers import ElectraModel, PreTrainedTokenizerFast

from pipelines.training.multilingual_encoder.batches import padded


class Student(nn.Module):
    """Embeddings (text dim) of length one from ids and mask (text token); matrix products in bfloat16."""

    def __init__(self, backbone: ElectraModel) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Mean of the last states over the tokens of each text, normalised."""
        with torch.autocast("cpu", dtype=torch.bfloat16):
            states = self.backbone(input_ids=ids, attention_mask=mask).last_hidden_state
        kept = mask[..., None].float()
        return functional.normalize((states.float() * kept).sum(1) / kept.sum(1), dim=1)


@torch.no_grad()
def embedded(student: Student, tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> NDArray[np.float32]:
    """Embeddings (text dim) of texts, each text once, texts of like length together."""
    known = sorted(set(texts))
    coded = [list(ids) for ids in tokenizer(known, truncation=True)["input_ids"]]
    order = sorted(range(len(known)), key=lambda place: len(coded[place]))
    found: dict[str, NDArray[np.float32]] = {}
    student.eval()
    for start in range(0, len(order), 64):
        places = order[start : start + 64]
        rows = student(*padded([coded[place] for place in places], int(tokenizer.pad_token_id or 0))).numpy()
        found.update(zip([known[place] for place in places], rows, strict=True))
    student.train()
    return np.stack([found[text] for text in texts])


def save(backbone: ElectraModel, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Write weights in float16 with a configuration that asks for float32, in the layout of sentence-transformers."""
    tokenizer.backend_tokenizer.no_truncation()  # who loads it decides what to do with a long text
    inner = folder.with_name(folder.name + "-inner")
    cast: Any = backbone
    cast.float().save_pretrained(inner)
    tokenizer.save_pretrained(inner)
    width = int(backbone.config.hidden_size)
    whole = SentenceTransformer(modules=[Transformer(str(inner)), Pooling(width), Normalize()], device="cpu")
    whole.half().save(str(folder), create_model_card=False)
    shutil.rmtree(inner)
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(settings | {"dtype": "float32"}, indent=2) + "\n", encoding="utf-8")
