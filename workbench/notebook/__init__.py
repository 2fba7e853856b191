"""In a notebook: texts and pairs explained without a store, SQL cells over one with `%load_ext workbench`, the studies to start from.

Names load when they are first used: SQL cells need no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.notebook.explore import explore as explore
    from workbench.notebook.following import ask as ask
    from workbench.notebook.following import follow as follow
    from workbench.notebook.html import Html as Html
    from workbench.notebook.prepare import prepared as prepared
    from workbench.notebook.texts import Explained as Explained
    from workbench.notebook.texts import compare as compare
    from workbench.notebook.texts import contributions as contributions
    from workbench.notebook.texts import explain as explain
    from workbench.notebook.texts import heatmap as heatmap
    from workbench.notebook.texts import load as load
    from workbench.notebook.texts import pair_arcs as pair_arcs
    from workbench.notebook.texts import pair_map as pair_map
    from workbench.notebook.texts import read as read
    from workbench.notebook.texts import translation_map as translation_map
    from workbench.notebook.texts import translation_strip as translation_strip

TEXTS = (
    "Explained", "compare", "contributions", "explain", "heatmap", "load", "pair_arcs", "pair_map", "read", "translation_map",
    "translation_strip",
)  # fmt: skip
#: Name → the module that has it.
PUBLIC = {
    "Html": "workbench.notebook.html", "ask": "workbench.notebook.following", "explore": "workbench.notebook.explore",
    "follow": "workbench.notebook.following", "prepared": "workbench.notebook.prepare", **dict.fromkeys(TEXTS, "workbench.notebook.texts"),
}  # fmt: skip

__all__ = sorted(PUBLIC)  # noqa: PLE0605  # the table above is the list


def __getattr__(name: str) -> object:
    if name not in PUBLIC:
        raise AttributeError(f"module 'workbench.notebook' has no attribute {name!r}")
    value = getattr(import_module(PUBLIC[name]), name)
    globals()[name] = value
    return value
