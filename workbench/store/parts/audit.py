"""What `verify` asks of a store over parts: do manifest, records and files still say what they said?"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from workbench.errors import StoreError
from workbench.store.connection import Connection
from workbench.store.parts.part import Part, is_sound
from workbench.store.parts.parts import Parts
from workbench.store.wrong import Wrong

AT_ONCE = 4


def compare_parts(connection: Connection, location: str) -> list[Wrong]:
    """Differences between a store, the manifest of the parts that it stands over, and their files; all files are read."""
    try:
        parts = Parts(location)
        parts.manifest.refuse_gap()
        state = parts.state
        found = []
        if state.identity != connection.execute("SELECT identity FROM parts.place").fetchall()[0][0]:
            return [Wrong(f"{location} holds other parts than those that the store was made over")]
        ledger = dict(
            connection.execute("SELECT p.name, l.content_hash FROM parts.part p LEFT JOIN kept.ledger l ON l.batch = p.batch").fetchall()
        )
        if lost := sorted(set(ledger) - set(state.parts)):
            found.append(Wrong(f"{len(lost)} parts of the store are not in the manifest: {lost[:5]}"))
        if wrong := [name for name, said in ledger.items() if name in state.parts and state.parts[name].content_hash() != said]:
            found.append(Wrong(f"{len(wrong)} parts differ between the store and the manifest: {wrong[:5]}"))
        if bad := damaged(parts):
            found.append(Wrong(f"{len(bad)} parts have files that are damaged or not there: {[one.name for one in bad][:5]}"))
        if new := len(set(state.parts) - set(ledger)):
            found.append(Wrong(f"{new} parts came after the store was made; a run or `workbench compact --views` takes them in", note=True))
    except StoreError as error:
        return [Wrong(f"{error.asked}: {error.found}")]
    return found


def damaged(parts: Parts) -> list[Part]:
    """Parts that count and have a file that is not what their record says; all files are read."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        every = list(parts.state.parts.values())
        return [one for one, sound in zip(every, threads.map(lambda one: is_sound(parts.place, one), every), strict=True) if not sound]
