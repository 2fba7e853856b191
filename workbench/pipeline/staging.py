"""Parts on their way into a store: written by workers beside it, taken in by its one hand, and removed.

Whatever a killed run left whole there is taken in by the next one. The folder has the store's identity in its name: what was meant for
another store that stood at the same path is nothing to this one.
"""

from __future__ import annotations

import shutil
from functools import cached_property

from workbench.errors import StoreError
from workbench.pipeline.work import WriteParts, numbers_of_each
from workbench.pipeline.worker import Worker
from workbench.store import Store
from workbench.store.lock import beside
from workbench.store.parts import part
from workbench.store.parts.part import Numbers, Part
from workbench.store.parts.place import Place

FOLDER = ".parts"


class Staging:
    """The folder of parts beside an open store."""

    def __init__(self, store: Store) -> None:
        self.folder = beside(store.path, FOLDER).resolve() / store.identity[:16]

    @cached_property
    def place(self) -> Place:
        """The folder as a place of parts, opened when there is something to do in it."""
        return Place(self.folder)

    def work(self, worker: Worker, run: int) -> WriteParts:
        """What workers are to do: explain, and write parts here."""
        models = tuple(worker.models())
        numbers = Numbers(run, 1, 1, 0)
        return WriteParts(worker.pipeline, worker.fingerprint, models, str(self.folder), numbers, numbers_of_each(models))

    def take(self, store: Store, one: Part) -> None:
        """Takes a part in and removes it; it is removed when the store has it, and taking it twice changes nothing."""
        try:
            ready = part.read(self.place, one)
        except StoreError as error:
            remedy = "let all machines share the store's folder, or write parts elsewhere: --parts s3://…"
            raise StoreError(f"take in the parts of {store.path}", error.found, remedy) from error
        store.append(ready, one.run)
        self.place.remove([f"{part.FOLDER}/{one.name}.json", *(part.file(table, one.name) for table in one.files)])

    def recover(self, store: Store) -> int:
        """Takes in what an interrupted run left whole, and removes the rest; returns how many parts."""
        taken = 0
        if not self.folder.parent.exists():
            return taken
        for name in self.place.names(part.FOLDER):
            one = part.recorded(self.place, name)
            if one is not None and part.is_sound(self.place, one):
                self.take(store, one)
                taken += 1
        self.clear()
        return taken

    def clear(self) -> None:
        """Removes the folder with whatever is in it, and those of other stores at this path."""
        shutil.rmtree(self.folder.parent, ignore_errors=True)
