"""Numbers as a reader meets them: few digits, a true minus sign, and words where there is no number."""

from __future__ import annotations

import math

MINUS = "\u2212"
NONE = "–"
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def figure(value: float | None, digits: int = 3, *, signed: bool = False) -> str:
    """`value` to significant digits: 0.412, 12.3, 1.23×10⁻⁵; with a plus sign if `signed`; a dash for None; NaN and ∞ as they are."""
    if value is None:
        return NONE
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else MINUS + "∞"
    text = _magnitude(abs(value), digits)
    sign = "" if value == 0 else MINUS if value < 0 else "+" if signed else ""
    return sign + text


def count(value: float | None) -> str:
    """A whole number with thousands set apart: 8,087."""
    return NONE if value is None or not math.isfinite(value) else f"{round(value):,}".replace("-", MINUS)


def share(value: float | None, digits: int = 1) -> str:
    """A share from 0 to 1 in per cent; only all is 100 %, only nothing is 0 % (99.997 % is not rounded up)."""
    if value is None or not math.isfinite(value):
        return NONE
    percent = 100 * value
    text = f"{percent:.{digits}f}"
    step = 10.0**-digits
    if value < 1 and float(text) >= 100:
        text = f"> {100 - step:.{digits}f}"
    if value > 0 and float(text.lstrip("> ")) == 0:
        text = f"< {step:.{digits}f}"
    if value < 0 and float(text) == 0:
        text = f"> -{step:.{digits}f}"
    if value in (0, 1):
        text = f"{percent:.0f}"
    return text.replace("-", MINUS) + " %"


def interval(low: float | None, high: float | None, digits: int = 3) -> str:
    """A confidence interval: [0.312, 0.498]."""
    return NONE if low is None or high is None else f"[{figure(low, digits)}, {figure(high, digits)}]"


def _magnitude(value: float, digits: int) -> str:
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(value))
    if exponent < -4 or exponent >= 6:
        mantissa, power = f"{value:.{digits - 1}e}".split("e")
        return f"{mantissa}×10{str(int(power)).translate(_RAISED)}"
    return f"{value:,.{max(0, digits - 1 - exponent)}f}"
