"""Style sheets of the room, read from their files; nothing in them loads anything."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from markupsafe import Markup

#: Fonts for text that may hold Bengali: the reader's own, by name, never fetched.
BENGALI_FONTS = ("Noto Sans Bengali", "Noto Serif Bengali", "Hind Siliguri", "Vrinda", "Bangla Sangam MN", "sans-serif")


@cache
def sheet(name: str) -> Markup:
    """The CSS of `templates/<name>.css`."""
    return Markup(files("workbench.viz").joinpath("templates", f"{name}.css").read_text(encoding="utf-8"))


def style(*names: str) -> Markup:
    """A <style> element with the named sheets."""
    return Markup("<style>{}</style>").format(Markup("\n").join(sheet(name) for name in names))
