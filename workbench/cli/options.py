"""Options that several commands share, said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.progress import Log

StorePath = Annotated[Path, typer.Option("--store", "-s", help="The relevance store, a DuckDB file.")]
DEFAULT_STORE = Path("relevance.duckdb")
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for other programs.")]
Workers = Annotated[int, typer.Option(min=1, help="Processes that explain, one thread each.")]
PipelineName = Annotated[str, typer.Argument(help="Name of a pipeline (see `workbench run --help`) or path of its TOML file.")]
LogOption = Annotated[Log, typer.Option("--log", help="What is said on standard error: text, or a JSON object a line.")]
ProgressFile = Annotated[Path | None, typer.Option("--progress-file", help="A file that always holds where the run is, as JSON.")]
