"""One diverging palette for relevance: blue speaks against the class, orange for it, nothing at zero.

Ends are Okabe and Ito's blue and vermillion (2008), told apart in all common forms of colour blindness. Strength is opacity over the page,
so zero is the page itself, light or dark, equal magnitudes are equally opaque, and the text keeps at least 4.5:1 contrast at full strength.
The sign is also marked without colour (underline of `SIGN_CLASSES`), for print and for eyes that see no hue.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

POSITIVE = (213, 94, 0)
NEGATIVE = (0, 114, 178)
#: Opacity at the end of the scale.
STRONGEST = 0.72

#: CSS classes of a word by the state of its number.
SIGN_CLASSES = {"positive": "for", "negative": "against", "zero": "none", "clipped": "clipped", "missing": "missing", "invalid": "invalid"}


def common_scale(values: Iterable[float | None]) -> float:
    """End of a symmetric scale shared by `values`: the largest finite magnitude, 1.0 where all are zero or missing."""
    largest = max((abs(value) for value in values if value is not None and math.isfinite(value)), default=0.0)
    return largest or 1.0


def position(value: float, scale: float) -> float:
    """Place of a finite value on the scale from -1 to 1, cut at the ends."""
    return max(-1.0, min(1.0, value / scale))


def colour(value: float | None, scale: float) -> str | None:
    """Background of a value as CSS `rgba(...)`; None at zero and where there is no finite number."""
    if value is None or not math.isfinite(value) or value == 0:
        return None
    place = position(value, scale)
    red, green, blue = POSITIVE if place > 0 else NEGATIVE
    return f"rgba({red},{green},{blue},{abs(place) * STRONGEST:.3f})"


def states(value: float | None, scale: float) -> list[str]:
    """CSS classes that tell what a number is, without its colour: its sign, cut off, missing (None), not a number."""
    if value is None:
        return [SIGN_CLASSES["missing"]]
    if not math.isfinite(value):
        return [SIGN_CLASSES["invalid"]]
    sign = "positive" if value > 0 else "negative" if value < 0 else "zero"
    return [SIGN_CLASSES[sign]] + ([SIGN_CLASSES["clipped"]] if abs(value) > scale * (1 + 1e-9) else [])


def on_white(value: float, scale: float) -> tuple[int, int, int]:
    """The colour of a value laid on white paper, for terminals and pictures that know no opacity."""
    place = position(value, scale)
    ink = POSITIVE if place > 0 else NEGATIVE
    alpha = abs(place) * STRONGEST
    red, green, blue = (round(255 + (channel - 255) * alpha) for channel in ink)
    return red, green, blue
