"""Ways in which a disk harms a file: bits flip, pages come back empty or as rubbish, writes are lost, torn or go to the wrong place."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from workbench.store import create

#: Harms the bytes of a file, given chance and what the file was some time before.
Damage: TypeAlias = Callable[[bytearray, random.Random, bytes], None]

#: What a disk writes at once.
SECTOR, PAGE = 512, 4096
BLOCK, HEADERS = int(create.BLOCK), 3 * 4096


def flip(data: bytearray, chance: random.Random, _before: bytes) -> None:
    """One bit is another."""
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def empty(data: bytearray, chance: random.Random, _before: bytes) -> None:
    """A page is full of zeros."""
    start = chance.randrange(0, len(data), PAGE)
    data[start : start + PAGE] = bytes(len(data[start : start + PAGE]))


def rubbish(data: bytearray, chance: random.Random, _before: bytes) -> None:
    """Some bytes are anything."""
    start = chance.randrange(len(data))
    size = min(chance.randrange(1, 64), len(data) - start)
    data[start : start + size] = chance.randbytes(size)


def cut(data: bytearray, chance: random.Random, _before: bytes) -> None:
    """The end is missing."""
    del data[chance.randrange(len(data)) :]


def lost(data: bytearray, chance: random.Random, before: bytes) -> None:
    """A write never came to the disk: some pages are what they were before."""
    start = chance.randrange(0, len(data), PAGE)
    old = before[start : start + PAGE * chance.choice((1, 4, 16))]
    data[start : start + len(old)] = old[: max(0, len(data) - start)]


def torn(data: bytearray, chance: random.Random, before: bytes) -> None:
    """A write stopped in the middle: from one sector on all is what it was before, or missing."""
    start = chance.randrange(0, len(data), SECTOR)
    data[start:] = before[start : len(data)]


def astray(data: bytearray, chance: random.Random, _before: bytes) -> None:
    """Two pages stand in each other's place."""
    pages = range(0, max(PAGE, len(data) - PAGE), PAGE)
    one, other = chance.choice(pages), chance.choice(pages)
    data[one : one + PAGE], data[other : other + PAGE] = data[other : other + PAGE], data[one : one + PAGE]


def exchanged(data: bytearray, chance: random.Random, _before: bytes) -> None:
    """Two whole blocks of a database, each with a checksum that is right, stand in each other's place."""
    if len(blocks := range(HEADERS, len(data) - BLOCK + 1, BLOCK)) > 1:
        one, other = chance.sample(blocks, 2)
        data[one : one + BLOCK], data[other : other + BLOCK] = data[other : other + BLOCK], data[one : one + BLOCK]


def doubled(data: bytearray, chance: random.Random, _before: bytes) -> None:
    """A block went to the wrong place: it stands there as well, and what stood there is gone."""
    if len(blocks := range(HEADERS, len(data) - BLOCK + 1, BLOCK)) > 1:
        one, other = chance.sample(blocks, 2)
        data[one : one + BLOCK] = data[other : other + BLOCK]


def old(data: bytearray, _chance: random.Random, before: bytes) -> None:
    """The whole file is what it was some time before."""
    data[:] = before


DAMAGES: Mapping[str, Damage] = {
    damage.__name__: damage for damage in (flip, empty, rubbish, cut, lost, torn, astray, exchanged, doubled, old)
}


def harm(path: Path, before: bytes, kind: str, chance: random.Random) -> bool:
    """Harm a file in one way; False where it came out as it was."""
    data = bytearray(path.read_bytes())
    whole = bytes(data)
    if data:
        DAMAGES[kind](data, chance, before)
    path.write_bytes(data)
    return bytes(data) != whole
