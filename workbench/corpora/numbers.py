"""Numbers in records: judged before they are kept, given as numbers whatever the format wrote."""

from __future__ import annotations

import math


def number(value: object) -> float | None:
    """A number or the text of one; None where there is none (null or blank). ValueError for anything else."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{value!r} is no number")
    return float(value)


def number_problem(value: object, scale: tuple[float, float] | None) -> str | None:
    """Why a value cannot be a number (within `scale`, both ends included), None where it can."""
    try:
        found = number(value)
    except (ValueError, OverflowError):
        return f"{str(value)[:40]!r} is no number"
    if found is None:
        return None
    if not math.isfinite(found):
        return f"{found} is no finite number"
    if scale is not None and not scale[0] <= found <= scale[1]:
        return f"{found:g} is not within the scale from {scale[0]:g} to {scale[1]:g}"
    return None
