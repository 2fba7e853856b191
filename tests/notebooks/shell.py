"""A study run as a notebook: every cell in one shell, everything that it shows drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import altair as alt
import jupytext
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

FOLDER = Path(__file__).parents[2] / "notebooks"


def run_study(name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The variables that a study leaves behind, and what it shows by MIME type; the first error of a cell is raised."""
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    shown: list[dict[str, Any]] = []
    shell.displayhook.write_format_data = lambda data, _metadata=None: shown.append(data)
    try:
        for cell in jupytext.read(FOLDER / f"{name}.py", fmt="py:percent").cells:
            if cell.cell_type != "code":
                continue
            with capture_output() as captured:
                result = shell.run_cell(cell.source)
            result.raise_error()
            shown += [output.data for output in captured.outputs]
        return dict(shell.user_ns), shown
    finally:
        InteractiveShell.clear_instance()
        alt.renderers.enable("default")
