"""Where a model's layers are, and in each layer the modules whose outputs are added to the residual stream."""

from __future__ import annotations

from torch import nn

#: Paths inside a layer of the projection that ends the attention block, and of what ends the MLP, over the families of transformers.
ATTENTION = (
    "attention.output.dense", "attn.c_proj", "self_attn.o_proj", "self_attn.out_proj", "attention.dense", "self_attention.dense",
    "attention.out_lin", "attn.Wo", "attention.attn.o", "SelfAttention.o", "attn.out_proj",
)  # fmt: skip
MLP = (
    "output.dense", "mlp.c_proj", "mlp.down_proj", "mlp.dense_4h_to_h", "mlp.Wo", "fc2", "ffn.lin2", "ffn_output", "DenseReluDense.wo",
    "mlp.fc2", "mlp.experts", "block_sparse_moe",
)  # fmt: skip


def layers(module: nn.Module) -> list[nn.Module]:
    """The items of the outermost module lists, in the order in which the model holds them (encoder before decoder)."""
    found: list[nn.Module] = []
    for part in module.children():
        if isinstance(part, nn.ModuleList):
            found.extend(part)
        else:
            found.extend(layers(part))
    return found


def blocks(layer: nn.Module) -> list[tuple[str, nn.Module]]:
    """Kind (`attention`, `mlp`) and module of the parts of a layer whose outputs join the residual stream."""
    found: list[tuple[str, nn.Module]] = []
    for name, part in layer.named_modules():
        if ends_with(name, ATTENTION):
            found.append(("attention", part))
        elif ends_with(name, MLP):
            found.append(("mlp", part))
    return found


def ends_with(name: str, paths: tuple[str, ...]) -> bool:
    """Whether a module's name is, or ends in, one of the paths."""
    return any(name == path or name.endswith(f".{path}") for path in paths)
