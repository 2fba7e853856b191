"""How the numbers of lxt and zennit were made, in an environment of their own (see README.md); never run by the tests.

`python make_lxt.py model FOLDER` (the project's environment) saves a small BERT with random weights; `python make_lxt.py numbers
FOLDER` (the other environment, transformers 4.52.4, lxt 2.1, zennit 0.5.1) writes the numbers beside it; `python make_lxt.py rules
FOLDER` (the other environment) writes `zennit_rules.json` alone.
"""

from __future__ import annotations

import json
import sys
import types
from importlib.machinery import ModuleSpec
from importlib.metadata import version
from pathlib import Path

import torch


def model(folder: Path) -> None:
    """A BERT of two layers whose attention is far from uniform; weights in safetensors."""
    import transformers

    torch.manual_seed(11)
    config = transformers.BertConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        vocab_size=40,
        max_position_embeddings=24,
        num_labels=4,
    )
    net = transformers.BertForSequenceClassification(config).eval()
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if parameter.ndim > 1:
                parameter.mul_(6.0)
            elif name.endswith("bias"):
                parameter.normal_(0, 0.1)
    net.save_pretrained(folder / "lxt_bert")


TORCHVISION = (
    "torchvision", "torchvision.models", "torchvision.models.vgg", "torchvision.models.resnet", "torchvision.models.vision_transformer",
    "torchvision.ops", "torchvision.ops.misc",
)  # fmt: skip


def invented(attribute: str) -> type:
    """An empty class for any name that is asked for, but for Python's own."""
    if attribute.startswith("__"):
        raise AttributeError(attribute)
    return type(attribute, (), {})


def without_torchvision() -> None:
    """A stand-in for torchvision, whose wheel does not match a CPU build of torch; nothing of it is called."""
    for name in TORCHVISION:
        stand_in = types.ModuleType(name)
        stand_in.__getattr__ = invented  # type: ignore[method-assign]
        stand_in.__path__ = []
        stand_in.__spec__ = ModuleSpec(name, None)
        stand_in.nn = torch.nn  # type: ignore[attr-defined]
        sys.modules[name] = stand_in
        parent, _, own = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], own, stand_in)


def numbers(folder: Path) -> None:
    """Relevance by lxt (AttnLRP) on the BERT and by zennit (epsilon rule) on a small network."""
    without_torchvision()
    import lxt.efficient
    from lxt.efficient import monkey_patch
    from transformers.models.bert import modeling_bert

    monkey_patch(modeling_bert, verbose=False)
    net = modeling_bert.BertForSequenceClassification.from_pretrained(folder / "lxt_bert", attn_implementation="eager").eval()
    for parameter in net.parameters():
        parameter.requires_grad_(False)
    generator = torch.Generator().manual_seed(12)
    texts = []
    for length in (5, 9, 17):
        ids = torch.randint(0, 40, (1, length), generator=generator)
        leaf = net.bert.embeddings.word_embeddings(ids).detach().requires_grad_(True)
        logits = net(inputs_embeds=leaf, attention_mask=torch.ones_like(ids)).logits[0]
        target = int(logits.argmax())
        logits[target].backward()
        texts.append(
            {"ids": ids[0].tolist(), "target": target, "logits": logits.tolist(), "relevance": (leaf * leaf.grad).sum(-1)[0].tolist()}
        )
    made = {name: version(name) for name in ("lxt", "transformers", "torch")}
    (folder / "lxt_bert.json").write_text(json.dumps({"made_with": made, "composite": "attnlrp", "texts": texts}, indent=1) + "\n")
    assert lxt.efficient is not None
    zennit_numbers(folder)


def zennit_numbers(folder: Path) -> None:
    """Epsilon rule on linear layers, identity on ReLU."""
    from zennit.attribution import Gradient
    from zennit.core import Composite
    from zennit.rules import Epsilon, Pass

    torch.manual_seed(13)
    layers = torch.nn.Sequential(
        torch.nn.Linear(6, 8), torch.nn.ReLU(), torch.nn.Linear(8, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3)
    ).double()
    x = torch.randn(4, 6, dtype=torch.float64)

    def rule(context: object, name: str, module: torch.nn.Module) -> object:
        return Epsilon(epsilon=0.1) if isinstance(module, torch.nn.Linear) else Pass() if isinstance(module, torch.nn.ReLU) else None

    with Gradient(model=layers, composite=Composite(module_map=rule)) as attributor:
        output, relevance = attributor(x, lambda out: out * torch.eye(3, dtype=torch.float64)[1])
    kept = {
        "made_with": {name: version(name) for name in ("zennit", "torch")},
        "epsilon": 0.1,
        "target": 1,
        "weights": [[layer.weight.tolist(), layer.bias.tolist()] for layer in layers if isinstance(layer, torch.nn.Linear)],
        "inputs": x.tolist(),
        "outputs": output.tolist(),
        "relevance": relevance.tolist(),
    }
    (folder / "zennit_epsilon.json").write_text(json.dumps(kept) + "\n")


def rules(folder: Path) -> None:
    """Gamma and alpha-beta on linear layers (their stabiliser, which is not part of our rules, next to nothing), identity on ReLU.

    With this seed every output has contributions of both signs. Where one sign is missing zennit keeps alpha or beta as it is, so that
    relevance is doubled or lost; our rule gives the other sign all of it.
    """
    without_torchvision()
    from zennit.attribution import Gradient
    from zennit.core import Composite
    from zennit.rules import AlphaBeta, Gamma, Pass

    torch.manual_seed(17)
    layers = torch.nn.Sequential(
        torch.nn.Linear(7, 24), torch.nn.ReLU(), torch.nn.Linear(24, 16), torch.nn.ReLU(), torch.nn.Linear(16, 4)
    ).double()
    x = torch.randn(5, 7, dtype=torch.float64)
    chosen = {
        "gamma 0.25": Gamma(gamma=0.25, stabilizer=1e-14),
        "gamma 2": Gamma(gamma=2.0, stabilizer=1e-14),
        "alpha_beta 2 1": AlphaBeta(alpha=2.0, beta=1.0, stabilizer=1e-14),
        "alpha_beta 1 0": AlphaBeta(alpha=1.0, beta=0.0, stabilizer=1e-14),
    }
    relevance = {}
    for name, rule in chosen.items():

        def met(context: object, path: str, module: torch.nn.Module, rule: Gamma | AlphaBeta = rule) -> object:
            return rule if isinstance(module, torch.nn.Linear) else Pass() if isinstance(module, torch.nn.ReLU) else None

        by_output = []
        for output in range(4):
            with Gradient(model=layers, composite=Composite(module_map=met)) as attributor:
                by_output.append(attributor(x, lambda out, output=output: out * torch.eye(4, dtype=torch.float64)[output])[1].tolist())
        relevance[name] = by_output
    kept = {
        "made_with": {name: version(name) for name in ("zennit", "torch")},
        "weights": [[layer.weight.tolist(), layer.bias.tolist()] for layer in layers if isinstance(layer, torch.nn.Linear)],
        "inputs": x.tolist(),
        "outputs": layers(x).tolist(),
        "relevance": relevance,
    }
    (folder / "zennit_rules.json").write_text(json.dumps(kept) + "\n")


if __name__ == "__main__":
    {"model": model, "numbers": numbers, "rules": rules}[sys.argv[1]](Path(sys.argv[2]))
