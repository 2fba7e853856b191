"""Answers to what went wrong: what was asked, what was found, what to do."""

from __future__ import annotations

import errno

from workbench.errors import WorkbenchError

#: The same command can succeed later as it is (EX_TEMPFAIL of sysexits.h).
LATER = 75

REMEDIES = {
    errno.ENOSPC: "free disk space, then run the same command again: finished work is kept",
    errno.EDQUOT: "free disk space or raise the quota, then run the same command again: finished work is kept",
    errno.EROFS: "name another folder: this one can only be read",
    errno.EACCES: "change the permissions, or name another place",
    errno.EPERM: "change the permissions, or name another place",
    errno.ENOENT: "check the path",
    errno.EISDIR: "name a file, not a folder",
    errno.ENOTDIR: "check the path: a part of it is a file",
    errno.ENAMETOOLONG: "use a shorter name",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
}


def as_error(error: Exception) -> WorkbenchError | None:
    """The same failure in a person's words; None for what only a programmer can mend."""
    if isinstance(error, WorkbenchError):
        return error
    if isinstance(error, MemoryError):
        return WorkbenchError("carry out the command", "no memory left", "use smaller batches or shorter documents, or end other programs")
    if isinstance(error, OSError) and error.errno in REMEDIES:
        place = f": {error.filename}" if error.filename is not None else ""
        return WorkbenchError("use a file or folder", f"{error.strerror}{place}", REMEDIES[error.errno])
    return None


def answer(error: Exception) -> int | None:
    """Print the failure as asked, found, do on standard error and return the exit code; None, and nothing printed, for a defect of ours."""
    known = as_error(error)
    if known is None:
        return None
    from rich.console import Console
    from rich.table import Table

    from workbench.cli.terminal import visible

    table = Table.grid(padding=(0, 1))
    table.add_column(style="bold red", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("asked", visible(known.asked))
    table.add_row("found", visible(known.found))
    table.add_row("do", visible(known.remedy))
    Console(stderr=True, soft_wrap=False).print(table)
    return LATER if known.retryable else known.exit_code
