"""`workbench evaluate` with all that stands below it."""

from __future__ import annotations

from workbench.cli import evaluate_false_discovery, evaluate_phrases, evaluate_shortcuts, evaluate_translation
from workbench.cli.evaluate import app

app.command("synthetic-translation")(evaluate_translation.synthetic_translation)
app.command()(evaluate_translation.alignment)
app.command()(evaluate_translation.hallucination)
app.command("phrases")(evaluate_phrases.phrases)
app.command()(evaluate_shortcuts.shortcuts)
app.command("false-discovery")(evaluate_false_discovery.false_discovery)

__all__ = ["app"]
