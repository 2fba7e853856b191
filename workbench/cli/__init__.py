"""What is typed in a terminal: thin commands that parse, call and print."""

from workbench.cli.application import app, main

__all__ = ["app", "main"]
