"""What `workbench plan` shows: what is missing, why, and about how long it would take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workbench.cli.terminal import console, duration, visible
from workbench.fingerprint import Json

if TYPE_CHECKING:
    from workbench.pipeline.forecast import Forecast


def as_data(found: Forecast) -> dict[str, Json]:
    """The forecast for other programs; `seconds` is null where no earlier run can tell."""
    return {
        "nothing_to_do": found.nothing,
        "missing": found.plan.missing,
        "stored": found.plan.stored,
        "waiting": found.plan.waiting,
        "jobs": len(found.plan.jobs),
        "reasons": found.plan.reasons,
        "annotate": {"documents": len(found.words.documents), "reasons": found.words.reasons},
        "measure": found.measure,
        "vanished": found.vanished,
        "seconds": None if found.time is None else round(found.time.seconds, 1),
    }


def show(found: Forecast, store: Path, workers: int) -> None:
    """The same for people."""
    from rich.table import Table

    out = console()
    if found.nothing:
        out.print(visible(f"nothing to do: {found.plan.stored:,} explanations are in {store} as the pipeline wants them"))
    else:
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("to do")
        table.add_column("documents", justify="right")
        table.add_column("why", overflow="fold")
        for what, count, reasons in (
            ("explain", found.plan.missing, found.plan.reasons),
            ("find words anew", len(found.words.documents), found.words.reasons),
            ("measure faithfulness", found.measure, {}),
        ):
            if count:
                sole = next(iter(reasons)) if list(reasons.values()) == [count] else None
                why = sole or "; ".join(f"{number:,} {reason}" for reason, number in sorted(reasons.items(), key=lambda pair: -pair[1]))
                table.add_row(visible(what), f"{count:,}", visible(why))
        out.print(table)
        batches = f"{len(found.plan.jobs):,} batch{'es' if len(found.plan.jobs) > 1 else ''} to go; " if found.plan.jobs else ""
        out.print(visible(f"{found.plan.stored:,} are stored already; {batches}{span(found, workers)}"))
    if found.plan.waiting:
        said = f"{found.plan.waiting:,} failed before and are not tried again yet: workbench query failures; run --retry tries them"
        out.print(visible(said, "yellow"))
    if found.vanished:
        said = f"{found.vanished:,} stored documents are no longer in the corpus: workbench prune removes them"
        out.print(visible(said, "yellow"))


def span(found: Forecast, workers: int) -> str:
    """About how long, and how that is known."""
    if found.time is None:
        return "no earlier run tells how long it takes" + (" (try --limit 100)" if found.plan.missing else "")
    by = f"{found.time.runs} earlier run{'s' if found.time.runs > 1 else ''}, {workers} process{'es' if workers > 1 else ''}"
    between = f"{duration(found.time.shortest)} to {duration(found.time.longest)} by " if found.time.runs > 1 else "by "
    return f"about {duration(found.time.seconds)} ({between}{by})"
