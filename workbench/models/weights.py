"""What can be trusted about weights: safetensors only, no remote code, every value finite, identity by content."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from torch import nn

from workbench.errors import ModelError

PICKLES = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt")


def refuse_unsafe_folder(folder: Path) -> None:
    """Raises ModelError for a model folder without config or safetensors, naming pickled weights where they lie instead."""
    asked = f"load the model in {folder}"
    if not (folder / "config.json").is_file():
        raise ModelError(asked, "no config.json in the folder", "give a folder saved by save_pretrained, or a model name of the hub")
    if not any(folder.glob("*.safetensors")):
        pickles = sorted(path.name for pattern in PICKLES for path in folder.glob(pattern))
        found = f"pickled weights ({', '.join(pickles)}), which can run code when loaded" if pickles else "no *.safetensors file"
        raise ModelError(asked, found, "save the model with save_pretrained(..., safe_serialization=True) where you trust it")


def refuse_not_finite(module: nn.Module, name: str) -> None:
    """Raises ModelError when a weight is NaN or infinite: every relevance computed from it would be."""
    for key, value in module.state_dict().items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            count = int((~torch.isfinite(value)).sum())
            raise ModelError(
                f"load the model {name}", f"{count} values that are NaN or infinite in {key}", "load an undamaged copy of the weights"
            )


def fingerprint(module: nn.Module) -> str:
    """SHA-256 over the names, types and bytes of all weights as loaded, in name order."""
    digest = hashlib.sha256()
    for key, value in sorted(module.state_dict().items()):
        digest.update(f"{key} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
