"""What is evaluated: the classifiers of an ensemble as the methods and metrics need them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast

from workbench.document import Word
from workbench.errors import ModelError
from workbench.evaluation.predictions import Memo, Predict, Remainders
from workbench.evaluation.removal import Ids, Text, text
from workbench.models.encode import encode
from workbench.models.ensemble import Ensemble

#: Steps of the integral of integrated gradients (Gauss-Legendre points).
INTEGRATION_STEPS = 20


@dataclass(slots=True)
class Subject:
    """The members' modules, an uninformative token id for each (`baselines`), and the label scores of remainders.

    `target` names a target of `workbench.attribution.targets`. `convergence` collects what integrated gradients leave unexplained: for each
    text and member |sum of attributions - (target of the text - target of its baseline)|, in units of the target.
    """

    modules: Sequence[nn.Module]
    baselines: Sequence[int]
    remainders: Remainders
    target: str = "logit"
    seed: int = 0
    steps: int = INTEGRATION_STEPS
    convergence: list[float] = field(default_factory=list)


def subject(modules: Sequence[nn.Module], baselines: Sequence[int], *, target: str = "logit", seed: int = 0) -> Subject:
    """Modules ready for evaluation: remainders are judged by probability for the target `logit`, by logits for a contrast of logits."""
    members = [Memo(predictor(module, probabilities=target == "logit")) for module in modules]
    return Subject(modules, baselines, Remainders(members), target, seed)


def subject_of(ensemble: Ensemble, *, replace: bool = False, seed: int = 0) -> Subject:
    """A loaded ensemble ready for evaluation; `replace` puts the uninformative token in place of a removed one instead of deleting it."""
    baselines = [uninformative(member.tokenizer) for member in ensemble.members]
    found = subject([member.module for member in ensemble.members], baselines, seed=seed)
    if replace:
        found.remainders.replacements = baselines
    return found


def texts_of(ensemble: Ensemble, texts: Sequence[str], words: Sequence[Sequence[Word]]) -> list[Text]:
    """Texts as every member of the ensemble encodes them, with the words that an annotator found in each.

    Raises InputError for a text that a member cannot encode, as `workbench.models.encode` does.
    """
    return [
        text([encode(member.tokenizer, written, member.window) for member in ensemble.members], found)
        for written, found in zip(texts, words, strict=True)
    ]


def uninformative(tokenizer: PreTrainedTokenizerFast) -> int:
    """The id that says nothing: the mask token, where there is none the unknown token, else padding.

    Raises ModelError for a tokenizer that has none of them.
    """
    for identifier in (tokenizer.mask_token_id, tokenizer.unk_token_id, tokenizer.pad_token_id):
        if isinstance(identifier, int):
            return identifier
    remedy = "set the tokenizer's mask_token, unk_token or pad_token"
    raise ModelError("choose an uninformative token", "a tokenizer without mask, unknown and padding token", remedy)


def predictor(module: nn.Module, *, probabilities: bool = True) -> Predict:
    """A callable from id sequences of one length to label probabilities (softmax of the logits) or logits: `(batch, label)`."""
    device = next(module.parameters()).device

    @torch.inference_mode()
    def predict(sequences: Sequence[Ids]) -> NDArray[np.floating]:
        ids = torch.tensor(sequences, dtype=torch.long, device=device)
        logits: Tensor = module(input_ids=ids, attention_mask=torch.ones_like(ids)).logits.double()
        scores: NDArray[np.float64] = (logits.softmax(-1) if probabilities else logits).cpu().numpy()
        return scores

    return predict
