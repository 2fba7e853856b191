"""What each torch function is to relevance: a table of names, resolved once against the installed torch.

`LINEAR` functions pass relevance on by their own derivative (they are linear, or select among their inputs); the other sets name
functions that a rule answers. A function that is in no set and returns an active tensor is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

SHAPES = """
    view reshape view_as reshape_as transpose permute t mT T contiguous expand expand_as unsqueeze squeeze flatten unflatten
    swapaxes swapdims movedim moveaxis narrow select split split_with_sizes chunk unbind tensor_split stack cat concat concatenate
    hstack vstack repeat tile repeat_interleave roll flip rot90 diagonal index_select gather take_along_dim __getitem__
    masked_select unfold pad broadcast_to adjoint H swapaxes atleast_2d """
CASTS = "to float double half bfloat16 type type_as cpu cuda clone requires_grad_ contiguous"
SUMS = "sum mean cumsum neg negative __neg__ positive nanmean"
SELECTIONS = """
    where masked_fill max amax min amin index_fill scatter index_put masked_scatter tril triu topk sort msort
    index_add index_copy scatter_add scatter_reduce """
IN_PLACE = "masked_fill_ copy_ index_add_ index_copy_ scatter_ scatter_add_ squeeze_ unsqueeze_ transpose_ tril_ triu_ __setitem__"
#: What asks of a tensor something that is no tensor. Models ask as often as they compute.
ASKING = """
    shape size dim ndim numel stride storage_offset dtype device layout itemsize element_size is_contiguous is_floating_point is_complex
    is_cuda is_cpu is_meta is_sparse is_quantized is_leaf requires_grad """
BOOKKEEPING = "retain_grad register_hook backward detach detach_"


def resolve(names: str) -> frozenset[Callable[..., Any]]:
    """The functions with these names in torch, torch.Tensor, torch.nn.functional and their C modules, properties included."""
    found: set[Callable[..., Any]] = set()
    for name in names.split():
        for place in (torch, Tensor, F, torch._C._nn, torch._C.TensorBase):
            value = getattr(place, name, None)
            if value is None:
                continue
            try:
                found.add(value if callable(value) else value.__get__)
            except AttributeError:
                continue
    return frozenset(found)


QUESTIONS = resolve(ASKING)
LINEAR = resolve(SHAPES) | resolve(CASTS) | resolve(SUMS) | resolve(SELECTIONS) | resolve(IN_PLACE) | resolve(BOOKKEEPING)
ADDITIONS = resolve("add __add__ __radd__")
SUBTRACTIONS = resolve("sub subtract __sub__")
ADDITIONS_IN_PLACE = resolve("add_ __iadd__")
SUBTRACTIONS_IN_PLACE = resolve("sub_ __isub__")
PRODUCTS_IN_PLACE = resolve("mul_ __imul__")
DIVISIONS_IN_PLACE = resolve("div_ true_divide_ __itruediv__ __idiv__")
REVERSED_SUBTRACTIONS = resolve("__rsub__ rsub")
PRODUCTS = resolve("mul multiply __mul__ __rmul__ matmul __matmul__ __rmatmul__ bmm mm mv dot einsum outer grouped_mm _grouped_mm")
DIVISIONS = resolve("div divide true_divide __truediv__ __div__")
SOFTMAXES = resolve("softmax")
STATISTICS = resolve("pow __pow__ square var")
ROOTS = resolve("rsqrt sqrt")
MERGES = resolve("mean sum add __add__ __radd__ to float")
DROPOUTS = resolve("dropout")
EMBEDDINGS = frozenset({F.embedding})
LINEAR_LAYERS = frozenset({F.linear, torch._C._nn.linear})
ADDMMS = resolve("addmm")
BADDBMMS = resolve("baddbmm")
SPLITS = resolve("split split_with_sizes")
CONVOLUTIONS = resolve("conv1d")
RMS_NORMS = resolve("rms_norm")
#: Smooth functions, which only the plain derivative knows what to do with.
SMOOTH = resolve("exp softplus sigmoid log log1p expm1 clamp clip sin cos erf abs norm reciprocal log_softmax logsumexp logsigmoid std")
LAYER_NORMS = frozenset({F.layer_norm, torch.layer_norm})
NORMALIZE = frozenset({F.normalize})
ATTENTIONS = frozenset({F.scaled_dot_product_attention})
