"""The page of `workbench check`: what was found of a model, at most 100 columns wide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from workbench.cli.terminal import visible

if TYPE_CHECKING:
    from rich.console import RenderableType

    from workbench.pipeline.checkup import Examination
    from workbench.pipeline.checkup.conservation import Row
    from workbench.pipeline.checkup.examination import Reading

GOOD, BAD, NOTE = "green", "bold red", "yellow"
#: What a ledger's accounts are called in a narrow column.
SHORT = {"token_types": "types", "decoder_inputs": "dec.", "nonlinear": "nonlin", "epsilon": "eps."}


def page(found: Examination) -> Iterator[RenderableType]:
    """The parts of the page, from what the model is to the verdict."""
    yield visible(found.anatomy.name, "bold")
    yield facts(found)
    yield heading("Value and ledger", f"explained: {found.target}; shares in %")
    yield ledgers(found)
    yield from refusals(found.rows)
    yield heading("Operations on relevant values", "calls in one pass")
    yield operations(found)
    yield heading("Tokenizer", "what of the text the model never sees")
    yield tokenizer(found.readings)
    if found.passes:
        yield heading("Cost", f"one text of {found.length} tokens; CPU time; memory beyond the model itself")
        yield costs(found)
    yield Text()
    yield verdict(found)


def heading(title: str, detail: str) -> Text:
    """A line above a part of the page."""
    return Text.assemble("\n", (title, "bold"), (f"  {detail}", "dim"))


def plain_table(*columns: str, right: Sequence[str] = ()) -> Table:
    """A table without frames; columns named in `right` hold numbers."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(Text(column), justify="right" if column in right else "left", no_wrap=True)
    return table


def facts(found: Examination) -> Table:
    """What the model is, in two columns of facts."""
    it = found.anatomy
    labels = f", {len(it.labels)} labels" if it.labels else ""
    pairs = [
        ("family", f"{it.family} ({it.architecture})"),
        ("task", it.task + labels),
        ("layers", f"{it.layers}, {it.width:,} wide"),
        ("parameters", f"{it.parameters:,}, {it.precision}"),
        ("positions", it.positions),
        ("attention", it.attention),
        ("window", f"{it.window:,} tokens" if it.window else "no limit"),
        ("fingerprint", it.fingerprint[:16]),
    ]
    table = Table.grid(padding=(0, 2))
    for left, right in zip(pairs[::2], pairs[1::2], strict=True):
        table.add_row(visible(left[0], "dim"), visible(left[1]), visible(right[0], "dim"), visible(right[1]))
    return table


def ledgers(found: Examination) -> Table:
    """One row for each composite: value, gap, how many ledgers close, share of each account that is not empty."""
    met = [row.shares for row in found.rows if row.shares is not None]
    used = [name for name in (met[0] if met else ()) if name != "gap" and any(shares[name] >= 5e-4 for shares in met)]
    names = [SHORT.get(name, name) for name in used]
    table = plain_table("composite", "value Δ", "gap", "closed", *names, right=("value Δ", "gap", "closed", *names))
    for row in found.rows:
        if row.refusal is not None:
            table.add_row(visible(row.composite), visible("refused", BAD))
            continue
        state = GOOD if row.closed == row.texts else BAD
        table.add_row(
            visible(row.composite),
            visible(figure(row.difference), GOOD if row.difference <= row.bar else BAD),
            visible(figure(row.gap), state),
            visible(f"{row.closed}/{row.texts}", state),
            *(visible(percent((row.shares or {})[name])) for name in used),
        )
    return table


def refusals(rows: Sequence[Row]) -> Iterator[Table]:
    """Why some composites cannot explain this model, and what to do; what is said alike of several is said once."""
    same: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row.refusal is not None:
            same.setdefault((row.refusal.found, row.refusal.remedy), []).append(row.composite)
    for (found, remedy), composites in same.items():
        table = Table.grid(padding=(0, 1))
        table.add_column(style=BAD, no_wrap=True)
        table.add_column(overflow="fold")
        table.add_row("\nasked", visible("\npropagate relevance under " + ", ".join(composites)))
        table.add_row("found", visible(found))
        table.add_row("do", visible(remedy))
        yield table


def operations(found: Examination) -> Text:
    """Families of operations and how often each is met."""
    calls = " ".join(f"{name} {count} ·".replace(" ", "\xa0") for name, count in found.operations.items()).removesuffix("\xa0·")
    casts = f"\n{found.casts} casts to a narrower type inside: judged by the bar of float32" if found.casts else ""
    return visible(calls + casts)


def tokenizer(readings: Sequence[Reading]) -> Table:
    """One row for each text: tokens, how much is seen, what is lost; the text stands last, for scripts of uncertain width."""
    from workbench.viz.terminal import fitted

    table = plain_table("tokens", "a word", "seen %", "lost", "text", right=("tokens", "a word", "seen %"))
    for reading in readings:
        lost = ", ".join(f"{loss.count} {loss.kind}" for loss in reading.losses)
        seen = visible(percent(reading.coverage), GOOD if reading.coverage == 1 else NOTE)
        missing = visible(lost or "nothing", NOTE if lost else GOOD)
        words = max(1, len(reading.text.split()))
        table.add_row(str(reading.tokens), f"{reading.tokens / words:.1f}", seen, missing, Text(fitted(reading.text, 46)))
    return table


def costs(found: Examination) -> Table:
    """One row for each way through the model."""
    numbers = ("milliseconds", "× forward+backward", "tokens/s", "peak memory", "× its memory")
    table = plain_table("pass", *numbers, right=numbers)
    for one in found.passes:
        table.add_row(
            one.name,
            f"{1000 * one.seconds:,.1f}",
            f"{one.time_ratio:.2f}",
            f"{one.tokens_per_second:,.0f}",
            f"{one.bytes / 1e6:,.1f} MB",
            f"{one.memory_ratio:.2f}",
        )
    return table


def verdict(found: Examination) -> Text:
    """One line: what holds, or what does not."""
    if not found.untouched:
        return visible("not fit: another model's gradients, or this model, changed by being explained", BAD)
    if found.exit_code == 2:
        refused = sum(row.refusal is not None for row in found.rows)
        return visible(f"cannot be explained under {refused} of {len(found.rows)} composites: see above what to do", BAD)
    bar = max(row.bar for row in found.rows)
    if found.exit_code:
        failed = ", ".join(row.composite for row in found.rows if not row.met)
        return visible(f"not fit: the bar of {bar:.0e} is missed under {failed}", BAD)
    losses = sum(bool(reading.losses) for reading in found.readings)
    line = f"fit: values unchanged, ledgers closed to {bar:.0e}, gradients of other models untouched bit by bit"
    note = f"\nbut the tokenizer loses parts of {losses} of {len(found.readings)} texts" if losses else ""
    return Text.assemble((line, "bold green"), (note, NOTE))


def figure(value: float) -> str:
    """A small number in one digit and its power of ten."""
    return "0" if value == 0 else f"{value:.0e}"


def percent(share: float) -> str:
    """A share in percent, with a decimal where it is small."""
    return f"{100 * share:.0f}" if share >= 0.0995 or share == 0 else f"{100 * share:.1f}"
