"""Halves of a batch become one again, and running out of memory is told from other errors."""

from __future__ import annotations

import torch

from workbench.batch import joined
from workbench.pipeline.attempt import out_of_memory
from workbench.store import synthetic


def test_batches_join_and_memory_is_recognised() -> None:
    assert out_of_memory(MemoryError())
    assert out_of_memory(RuntimeError("MPS backend out of memory"))
    assert not out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    wrapped = ValueError("while explaining")
    wrapped.__cause__ = torch.OutOfMemoryError("CUDA out of memory")
    assert out_of_memory(wrapped)
    assert joined([]).frames == {}
    one = synthetic.batch(["a", "b"])
    twice = joined([one, synthetic.batch(["b", "c"])])
    assert twice["document"]["identifier"].to_list() == ["a", "b", "c"]
    for table in ("segment", "word", "token", "prediction"):
        assert len(twice[table]) == len(synthetic.batch(["a", "b", "c"])[table])
