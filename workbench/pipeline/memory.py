"""Peak memory of tensors: what a piece of work holds at its worst moment beyond what was there before it."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Allocations(TorchDispatchMode):  # type: ignore[no-untyped-call]  # the library leaves its hooks untyped
    """Bytes of storages that operations make while the mode lasts: now, and at most; what a kernel uses inside it is not seen."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.most = 0
        self.known = {value.untyped_storage()._cdata for value in (*module.parameters(), *module.buffers())}

    def __torch_dispatch__(self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        result = function(*args, **(kwargs or {}))
        for value in tree_leaves(result):
            if isinstance(value, Tensor):
                self.see(value)
        return result

    def see(self, value: Tensor) -> None:
        """Books a storage that was not there before, until it is freed."""
        storage = value.untyped_storage()
        address, size = storage._cdata, storage.nbytes()
        if address in self.known:
            return
        self.known.add(address)
        self.now += size
        self.most = max(self.most, self.now)
        weakref.finalize(storage, self.free, address, size).atexit = False

    def free(self, address: int, size: int) -> None:
        """Books the end of a storage."""
        self.known.discard(address)
        self.now -= size


def peak(module: nn.Module, work: Callable[[], Any]) -> int:
    """Bytes that `work` on a model's inputs holds at most, the model itself left out."""
    seen = Allocations(module)
    with seen:
        work()
    return seen.most
