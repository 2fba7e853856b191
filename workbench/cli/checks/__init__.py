"""Checks of a machine: each looks at one thing and says what it found and what to do."""

from workbench.cli.checks.examination import examine
from workbench.cli.checks.finding import Finding

__all__ = ["Finding", "examine"]
