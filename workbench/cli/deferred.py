"""Commands that are loaded when they are called: help knows them by their names and one sentence each."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from workbench.cli.commands import COMMANDS


class Deferred(TyperCommand):
    """A command of which help needs the name and a sentence only; its module, and what that imports, is loaded with its first call."""

    def __init__(self, name: str, place: str, sentence: str) -> None:
        super().__init__(name, help=sentence)
        self.place = place

    def load(self) -> TyperCommand | TyperGroup:
        """The command itself, or the group of commands, as its module declares it."""
        module, _, attribute = self.place.partition(":")
        found = getattr(import_module(f"workbench.cli.{module}"), attribute)
        holder = typer.Typer(add_completion=False)
        if isinstance(found, typer.Typer):
            holder.add_typer(found, name=self.name)
        else:
            holder.command(self.name)(found)
        command = get_command(holder)
        if isinstance(found, typer.Typer):
            assert isinstance(command, TyperGroup)
            command = command.commands[self.name or ""]
        assert isinstance(command, TyperCommand | TyperGroup)
        return command

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """The context of the command itself: what is parsed and called then is the command, and never this."""
        return self.load().make_context(info_name, args, parent, **extra)


class Commands(TyperGroup):
    """All commands in the order of help, none of them loaded."""

    def __init__(self, **settings: Any) -> None:
        deferred = {name: Deferred(name, place, sentence) for name, (place, sentence) in COMMANDS.items()}
        super().__init__(**{**settings, "commands": deferred})
