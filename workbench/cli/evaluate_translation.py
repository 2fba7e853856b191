"""`workbench evaluate synthetic-translation`, `alignment`, `hallucination`: contributions to translations where an answer is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.options import AsJson

if TYPE_CHECKING:
    import polars as pl

    from workbench.evaluation.bars import Bar


#: Signals of hallucination in the table for a terminal; all of them with --json.
SHOWN = ("mean_share", "min_share", "top_mean", "under_50", "omitted", "source_entropy", "log_probability", "similarity")
#: Corpora of sentences whose words people aligned, French and English.
GOLD = ("hansards-alignments", "alibi-alignments")


def synthetic_translation(
    seeds: Annotated[int, typer.Option(min=1, help="Models, each trained here in about three minutes.")] = 1,
    sentences: Annotated[int, typer.Option(min=2, help="Sentences explained for each model.")] = 60,
    steps: Annotated[int | None, typer.Option(min=1, help="Training steps of each model, to try things on.")] = None,
    as_json: AsJson = False,
) -> None:
    """Train small translation models whose alignments are known; compare every method's contributions; exit code 1 below a bar."""
    from workbench.cli.progress import progress
    from workbench.cli.terminal import print_json
    from workbench.evaluation.bars import all_met
    from workbench.evaluation.lexicon_model import Shape
    from workbench.evaluation.synthetic_translation import bars, synthetic

    with progress() as show:
        frame = synthetic(range(seeds), show, sentences=sentences, shape=None if steps is None else Shape(steps=steps))
    asked = bars(frame)
    if as_json:
        print_json({"passed": all_met(asked), "rows": frame.fill_nan(None).to_dicts(), "bars": [bar.row() for bar in asked]})
    else:
        print_table(frame, asked)
    if not all_met(asked):
        raise typer.Exit(1)


def alignment(
    corpora: Annotated[list[str] | None, typer.Argument(help="Corpora with gold links; by default Hansards and ALIBI.")] = None,
    model: Annotated[str, typer.Option(help="Translation model: name or folder.")] = "translation-fr-en",
    methods: Annotated[str, typer.Option(help="Methods compared, with commas between; by default all.")] = "",
    split: Annotated[str | None, typer.Option(help="Only this split.")] = None,
    sentences: Annotated[int | None, typer.Option(min=1, help="Sentences of each corpus at most; by default all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Alignment error rate of every method's contributions on sentences whose words people aligned, in all readings."""
    from workbench.attribution.contributions import METHODS
    from workbench.cli.progress import progress
    from workbench.cli.terminal import print_json
    from workbench.evaluation.gold_alignment import gold_alignment
    from workbench.models.translation import load_translator

    translator = load_translator(model)
    asked = tuple(name.strip() for name in methods.split(",") if name.strip()) or METHODS
    rows = []
    with progress() as show:
        for corpus in corpora or GOLD:
            frame = gold_alignment(translator, corpus, split=split, limit=sentences, methods=asked, progress=show)
            rows += frame.fill_nan(None).to_dicts()
            if not as_json:
                print_alignment(frame, translator.name)
    if as_json:
        print_json(rows)


def print_alignment(frame: pl.DataFrame, model: str) -> None:
    """One line for each method: error rate as predicted, raw and corrected with intervals, and as input."""
    import polars as pl

    from workbench.cli.terminal import console, visible
    from workbench.viz.terminal import table

    out = console()
    rows = []
    for (method,), part in frame.group_by("method", maintain_order=True):
        row: dict[str, object] = {}
        for corrected in (False, True):
            found = reading(part, "predicted", corrected) or reading(part, "", corrected)  # the diagonal has no convention
            row["corrected" if corrected else "predicted"] = None if found is None else f"{found['error_rate']:.3f}"
            row["95 %" + ", corr." * corrected] = None if found is None else f"{found['low']:.3f} to {found['high']:.3f}"
        rates = [found["error_rate"] for corrected in (False, True) if (found := reading(part, "input", corrected))]
        row["input (corr.)"] = f"{rates[0]:.3f} ({rates[1]:.3f})" if rates else None
        rows.append({**row, "seconds": f"{part['seconds'][0]:.2f}", "method": str(method).replace("_", " ")})
    about = frame.row(0, named=True)
    left_out = f", {about['left_out']} left out (too long for the model)" if about["left_out"] else ""
    title = f"alignment error rate: {about['corpus']}, {about['sentences']} sentences{left_out}, {model}"
    out.print(table(pl.DataFrame(rows), title=title, last="method"))
    out.print(visible("low is good; predicted: a word by what its own steps took, input: by what the steps behind it took;"))
    out.print(visible("corrected: less each source token's mean; seconds of a processor for a sentence."))
    out.print(visible("Agreement with people is not faithfulness.\n"))


def reading(part: pl.DataFrame, convention: str, corrected: bool) -> dict[str, Any] | None:
    """The row of one convention, raw or corrected."""
    import polars as pl

    return next(part.filter(pl.col("convention") == convention, pl.col("corrected") == corrected).iter_rows(named=True), None)


def hallucination(
    corpus: Annotated[str, typer.Option(help="Corpus of sentences to translate.")] = "multi30k",
    split: Annotated[str | None, typer.Option(help="Only this split; by default all but train.")] = None,
    model: Annotated[str, typer.Option(help="Translation model: name or folder.")] = "translation-fr-en",
    sentences: Annotated[int, typer.Option(min=20, help="Sentences, drawn at random.")] = 100,
    methods: Annotated[str, typer.Option(help="Methods compared, with commas between.")] = "attnlrp,alti_plus,alpha_beta",
    encoder: Annotated[str, typer.Option(help="Encoder for similarity to the source; empty for none.")] = "multilingual-similarity",
    seed: Annotated[int, typer.Option(help="Draws sentences, prefixes and tokens.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Make translations that are known to have left their source; which signals tell them? Contributions beside probability, similarity."""
    from workbench.cli.progress import progress
    from workbench.cli.terminal import print_json
    from workbench.evaluation.hallucination import hallucination as measure
    from workbench.models.encoder import load_encoder
    from workbench.models.translation import load_translator

    translator, judge = load_translator(model), load_encoder(encoder) if encoder else None
    asked = tuple(name.strip() for name in methods.split(",") if name.strip())
    with progress() as show:
        frame = measure(
            translator, judge, corpus, split=split, sentences=sentences, methods=asked, seed=seed, progress=show
        )  # fmt: skip
    if as_json:
        print_json(frame.to_dicts())
    else:
        print_hallucination(frame, f"{translator.name}, {corpus}")


def print_hallucination(frame: pl.DataFrame, about: str) -> None:
    """For each condition the area of each signal by method; signals together below, and what they add to log-probability."""
    import polars as pl

    from workbench.cli.terminal import console, visible
    from workbench.viz.terminal import table

    out = console()
    methods = [name for name in frame["method"].unique(maintain_order=True) if name]
    for (condition,), part in frame.group_by("condition", maintain_order=True):
        first = part.row(0, named=True)
        kept = "" if first["kept"] is None else f", chrF {first['kept']:.0f} to its own translation"
        title = f"{condition}: {first['cases']} of {first['tried']} sentences{kept}; {about}"
        found = {(row["method"], row["signal"]): row for row in part.iter_rows(named=True)}
        rows = []
        for signal in SHOWN:
            row: dict[str, object] = {}
            for method in methods:
                one = found.get((method, signal)) or (found.get(("", signal)) if method == methods[0] else None)
                row[method.replace("_", " ")] = None if one is None or one["auroc"] is None else f"{one['auroc']:.2f} {ends(one, '')}"
            rows.append({**row, "signal": signal.replace("_", " ")})
        out.print(visible(title, "bold"))
        out.print(table(pl.DataFrame(rows, infer_schema_length=None), title="", last="signal"))
        joint = part.filter(pl.col("signal").str.contains("+", literal=True))
        if joint["auroc"].null_count() < len(joint):
            shown = [
                {"area": f"{row['auroc']:.2f} {ends(row, '')}", "more than without the last": f"{row['gain']:+.2f} {ends(row, 'gain_')}",
                 "signals together": row["signal"].replace("_", " ") + (f" ({row['method'].replace('_', ' ')})" if row["method"] else "")}
                for row in joint.iter_rows(named=True)
            ]  # fmt: skip
            out.print(table(pl.DataFrame(shown), title="", last="signals together"))
    for line in (
        "area under the curve, 95 % interval over sentences; .5 is chance. Log-probability and similarity",
        "need no method. Made on purpose, these are easier than what models do by themselves: signals can add",
        "to one another; none is shown here to be better than another on real hallucinations.",
    ):
        out.print(visible(line))


def ends(row: dict[str, object], prefix: str) -> str:
    """An interval of two digits."""
    return f"[{row[f'{prefix}low']:.2f}, {row[f'{prefix}high']:.2f}]"


def print_table(frame: pl.DataFrame, asked: list[Bar]) -> None:
    """One line for each method and target, means over the models; the bars below."""
    import polars as pl

    from workbench.cli.terminal import console, visible
    from workbench.viz.terminal import table

    out = console()
    models = frame["seed"].n_unique()
    figures = {
        "AER": "error_rate", "corrected": "corrected", "as input": "input", "AUC": "area", "content": "content_share",
        "function": "function_share", "entropy": "entropy",
    }  # fmt: skip
    means = frame.group_by("method", "target", maintain_order=True).agg(pl.col(*figures.values(), "seconds").mean())
    shown = means.select(
        *(rounded(means, name, column, 3) for name, column in figures.items()),
        rounded(means, "seconds", "seconds", 4),
        (pl.col("method") + pl.when(pl.col("target") != "").then(" · " + pl.col("target")).otherwise(pl.lit(""))).alias("method")
        .str.replace_all("_", " "),
    )  # fmt: skip
    out.print(table(shown, title=f"contributions to synthetic translations, {models} model{'s' * (models > 1)}", last="method"))
    out.print(
        visible("AER: content words; AUC, content, function: source share of content words against function words; seconds a sentence")
    )
    out.print(table(pl.DataFrame([bar.row() for bar in asked]), title="bars", last="bar"))


def rounded(frame: pl.DataFrame, name: str, column: str, digits: int) -> pl.Series:
    """A column as text of so many digits; nothing where there is no number."""
    import polars as pl

    return pl.Series(name, [None if value is None or value != value else f"{value:.{digits}f}" for value in frame[column]], pl.String)
