"""Shortcuts: words, tags, punctuation, places, length and metadata that carry a class beyond what the labels explain."""

from workbench.queries.shortcuts.ranking import Shortcuts, shortcuts

__all__ = ["Shortcuts", "shortcuts"]
