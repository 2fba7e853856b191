"""How well signs of hallucination tell translations that left their source from the model's own: an experiment with known answers.

1. The model translates the sentences; pseudo-hallucinations of several kinds are made from them (`hallucination_cases`).
2. Every method explains the tokens of both; each signal ranks them.
3. Area under the curve (0.5: chance), with an interval over sentences: both translations of a sentence are drawn together.
4. Do they say the same? Signals are put together by a logistic regression fitted on other sentences; the gain is over the same without what
   stands last.

These are made on purpose and are easier than what models do by themselves; that contributions add to log-probability and similarity is what
can be shown, not that they replace them (Dale et al. 2023 find sentence similarity better on real hallucinations).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from workbench import corpora
from workbench.attribution.contributions import contributions
from workbench.attribution.translations import Translation, problem_of
from workbench.corpora import language_of
from workbench.document import Document
from workbench.errors import InputError
from workbench.evaluation.hallucination_cases import Case, Compared, compared, judged
from workbench.evaluation.hallucination_signals import PLAIN, SUSPICIOUS, signals
from workbench.evaluation.threads import one_thread
from workbench.models.encoder import Encoder
from workbench.models.translation import Translator, source_of
from workbench.queries.resampling import interval, weights

METHODS = ("attnlrp", "alti_plus", "alpha_beta")
#: Signals of contributions that are put together, chosen beforehand: how much came from the source, from one token, how spread out.
CONTRIBUTIONS = ("mean_share", "top_mean", "source_entropy")
#: What is put together, by what stands last, and what it is added to.
TOGETHER = (
    ("similarity", ("log_probability",), ("similarity",)),
    ("contributions", ("log_probability",), CONTRIBUTIONS),
    ("contributions", ("log_probability", "similarity"), CONTRIBUTIONS),
)
RESAMPLES, FOLDS, FEWEST = 1000, 5, 10

Progress = Callable[[str, int, int], None]
Array = NDArray[np.float64]


def hallucination(
    translator: Translator, encoder: Encoder | None, corpus: str, *, split: str | None = None, sentences: int = 100,
    methods: Sequence[str] = METHODS, seed: int = 0, progress: Progress | None = None,
) -> pl.DataFrame:  # fmt: skip
    """One row for each condition, method and signal: `auroc`, `low`, `high`, `gain` of signals together, and how many cases there are.

    `method` is empty for signals that need none; `similarity` is left out without an encoder. `tried` counts what could have become a
    pseudo-hallucination, `cases` what did (below ten of them there is no area), `kept` how much chrF is left of the model's own
    translation. Raises InputError where no sentence is left.
    """
    found = [document for document in corpora.read(corpora.find(corpus), split) if of_model(translator, document, split)]
    order = np.random.default_rng([seed, 0]).permutation(len(found))
    able = (place for place in order if fits(translator, found[place].segments["source"]))
    texts = [found[place].segments["source"] for place in sorted(islice(able, sentences))]
    if len(texts) < 2:
        problem = f"{len(texts)} sentences that {translator.name} can take"
        raise InputError(f"make hallucinations from {corpus}", problem, "name another corpus")
    tell = progress or (lambda *_: None)
    tell("make pseudo-hallucinations", 0, 1)
    rows: list[dict[str, object]] = []
    with one_thread():
        made = compared(translator, texts, [source_of(translator, text) for text in texts], seed)
        tell("make pseudo-hallucinations", 1, 1)
        for number, one in enumerate(made):
            measured = {}
            for done, method in enumerate(methods):
                tell(f"explain {one.condition}", done, len(methods))
                measured[method] = [table(translator, encoder, cases, method) for cases in (one.own, one.left)]
            tell(f"explain {one.condition}", len(methods), len(methods))
            rows += of_condition(one, measured, seed + number)
    return pl.DataFrame(rows, schema={
        "condition": pl.String, "method": pl.String, "signal": pl.String, "auroc": pl.Float64, "low": pl.Float64, "high": pl.Float64,
        "gain": pl.Float64, "gain_low": pl.Float64, "gain_high": pl.Float64, "cases": pl.Int64, "tried": pl.Int64,
        "kept": pl.Float64,
    }).with_columns(pl.col(pl.Float64).fill_nan(None))  # fmt: skip


def of_model(translator: Translator, document: Document, split: str | None) -> bool:
    """Whether a document has a source in the model's language, and is none that it may have learnt from unless that part is asked for."""
    language = language_of(document, "source")
    spoken = not language or not translator.source_language or language == translator.source_language
    return "source" in document.segments and spoken and (split is not None or document.split != "train")


def fits(translator: Translator, text: str) -> bool:
    """Whether the model can translate a text."""
    try:
        return bool(source_of(translator, text).ids)
    except InputError:
        return False


def table(translator: Translator, encoder: Encoder | None, cases: Sequence[Case], method: str) -> dict[str, Array]:
    """Every signal of every case."""
    if not cases:
        return {name: np.zeros(0) for name in SUSPICIOUS}
    pairs = [Translation(case.source, case.target, translator.forced) for case in cases]
    for pair in pairs:
        if problem := problem_of(translator.module, pair):
            raise InputError(f"explain a pseudo-hallucination of {translator.name}", *problem)
    found = contributions(translator.module, pairs, method, "token")
    rows = [signals(one, case.special, case.first) for one, case in zip(found, cases, strict=True)]
    columns = {name: np.array([row[name] for row in rows]) for name in SUSPICIOUS}
    return columns | {"similarity": similarity(translator, encoder, cases)}


def similarity(translator: Translator, encoder: Encoder | None, cases: Sequence[Case]) -> Array:
    """Cosine of what is judged of each translation to its source; NaN without an encoder."""
    if encoder is None:
        return np.full(len(cases), np.nan)
    texts = [judged(translator, case) for case in cases]
    sides = [encoder.module.encode(side, normalize_embeddings=True, show_progress_bar=False)  # type: ignore[operator]
             for side in ([case.source_text for case in cases], texts)]  # fmt: skip
    cosines: Array = (np.asarray(sides[0], np.float64) * np.asarray(sides[1], np.float64)).sum(1)
    return cosines


def of_condition(one: Compared, measured: Mapping[str, Sequence[Mapping[str, Array]]], seed: int) -> list[dict[str, object]]:
    """The rows of one condition: single signals, those without a method once, then signals together."""
    rows: list[dict[str, object]] = []
    shared = {"condition": one.condition, "cases": len(one.left), "tried": one.tried, "kept": one.kept}
    for place, (method, (own, left)) in enumerate(measured.items()):
        for name, sign in SUSPICIOUS.items():
            if name not in PLAIN or place == 0:
                area, low, high = areas(sign * own[name], sign * left[name], seed)
                rows.append({**shared, "method": "" if name in PLAIN else method, "signal": name, "auroc": area, "low": low, "high": high})
        for last, before, added in TOGETHER:
            plain = added[0] in PLAIN
            if not plain or place == 0:
                rows.append({**shared, "method": "" if plain else method, "signal": " + ".join((*before, last)),
                             **together(own, left, before, added, seed)})  # fmt: skip
    return rows


def areas(own: Array, left: Array, seed: int) -> tuple[float, float, float]:
    """Area under the curve and its interval; NaN for too few cases or values that are not there."""
    if len(left) < FEWEST or not (np.isfinite(own).all() and np.isfinite(left).all()):
        return (float("nan"),) * 3
    exact, draws = drawn_areas(own, left, seed)
    low, high = interval(draws[:, None])
    return exact, float(low[0]), float(high[0])


def drawn_areas(own: Array, left: Array, seed: int) -> tuple[float, Array]:
    """How often a case that left its source is more suspicious than one that did not, ties counted half, and over resampled sentences."""
    wins = (left[:, None] > own[None]) + 0.5 * (left[:, None] == own[None])
    draws = [((drawn @ wins) * drawn).sum(1) / len(own) ** 2 for drawn in weights(len(own), RESAMPLES, seed)]
    return float(wins.mean()), np.concatenate(draws)


def together(
    own: Mapping[str, Array], left: Mapping[str, Array], before: Sequence[str], added: Sequence[str], seed: int
) -> dict[str, float]:
    """Area of signals put together, and the gain by those that are added; nothing for too few cases or a signal that is not there."""
    every = [values for side in (own, left) for name in (*before, *added) for values in (side[name],)]
    if len(every[0]) < FEWEST or not all(np.isfinite(values).all() for values in every):
        return {}
    exact, draws = drawn_areas(*judgement(own, left, (*before, *added), seed), seed)
    without, without_draws = drawn_areas(*judgement(own, left, before, seed), seed)
    ends = [interval(values[:, None]) for values in (draws, draws - without_draws)]
    (low, high), (gain_low, gain_high) = [(float(end[0][0]), float(end[1][0])) for end in ends]
    return {"auroc": exact, "low": low, "high": high, "gain": exact - without, "gain_low": gain_low, "gain_high": gain_high}


def judgement(own: Mapping[str, Array], left: Mapping[str, Array], names: Sequence[str], seed: int) -> tuple[Array, Array]:
    """How suspicious each case is: by one signal itself, by several through a regression that has not seen the sentence."""
    if len(names) == 1:
        sign = SUSPICIOUS[names[0]]
        return sign * own[names[0]], sign * left[names[0]]
    features = np.column_stack([np.concatenate([own[name], left[name]]) for name in names])
    count = len(features) // 2
    labels, groups = np.repeat([0, 1], count), np.tile(np.arange(count), 2)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    folds = GroupKFold(FOLDS, shuffle=True, random_state=seed)
    said = cross_val_predict(model, features, labels, groups=groups, cv=folds, method="decision_function")
    return said[:count], said[count:]
