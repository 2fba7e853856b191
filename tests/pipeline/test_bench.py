"""What is measured, on tiny shapes: structure and the arithmetic of memory; times depend on the machine and are not asserted."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from workbench.cli.application import app
from workbench.errors import PipelineError
from workbench.pipeline.bench import engine as engines
from workbench.pipeline.bench.clock import paired, ratio, runs
from workbench.pipeline.bench.cost import COMPOSITES, FLOOR, PLAIN, REFERENCE, SOURCES, cost
from workbench.pipeline.bench.finding import Finding
from workbench.pipeline.bench.lengths import mixed_lengths, padding
from workbench.pipeline.bench.memory import checkpointing, growth, memory, saved
from workbench.pipeline.bench.passes import backward, explained, forward, likeliest
from workbench.pipeline.bench.rivals import against_captum, integrated
from workbench.pipeline.bench.shapes import FAMILIES, Shape, inputs, text, texts

TINY = Shape("BERT", 2, 32)
LLAMA = Shape("Llama", 2, 64)
SIZES = {"batch": 2, "length": 16}


@pytest.mark.parametrize(("value", "bar", "least", "met"), [
    (1.0, 1.1, False, True), (1.2, 1.1, False, False), (5.0, 5.0, True, True), (4.9, 5.0, True, False), (9.0, None, False, None),
])  # fmt: skip
def test_a_bar_is_met_or_not_or_absent(value: float, bar: float | None, least: bool, met: bool | None) -> None:
    finding = Finding("part", "shape", "what", "unit", value, bar, least, {"ms": 3.0})
    assert finding.met is met
    row = finding.row()
    assert (list(row), row["unit"], row["ms"]) == (["shape", "ms", "unit", "bar", "met", "what"], value, 3.0)
    assert row["met"] == {True: "yes", False: "NO", None: ""}[met]


def test_work_is_timed_in_rounds_after_a_run_of_the_same() -> None:
    order: list[str] = []
    taken = runs({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 8)
    assert order[::2] == order[1::2]
    rounds = [set(order[start : start + 4]) for start in range(0, 32, 4)]
    assert rounds == [{"a", "b"}] * 8
    assert len({order[start] for start in range(0, 32, 4)}) == 2  # now one begins, now the other
    assert {name: len(seconds) for name, seconds in taken.items()} == {"a": 8, "b": 8}
    assert paired({"a": lambda: None}, 1).keys() == {"a"}
    assert ratio([2.0, 9.0, 8.0], [1.0, 3.0, 2.0]) == 3.0


@pytest.mark.parametrize("family", FAMILIES)
def test_every_shape_is_explained_at_the_value_of_its_plain_pass(family: str) -> None:
    module = Shape(family, 1, 64).build()
    given = inputs(module, 2, 8)
    gradients, plain = backward(module, given), likeliest(forward(module, given))
    assert len(gradients) == (2 if family == "T5" else 1)
    assert all(gradient.shape == (2, 8, 64) and gradient.abs().sum() > 0 for gradient in gradients)
    found = explained(module, given, "attnlrp.v1")
    torch.testing.assert_close(torch.tensor([one.ledger.target for one in found]), plain, rtol=1e-4, atol=1e-6)


def test_the_plain_gradient_is_that_of_the_explanation() -> None:
    module = TINY.build()
    given = inputs(module, 2, 8)
    (gradient,) = backward(module, given)
    for row, one in zip(gradient, explained(module, given, "gradient_x_input.v1"), strict=True):
        torch.testing.assert_close(torch.from_numpy(one.sensitivity), row.square().sum(-1), rtol=1e-3, atol=1e-9)


def test_saved_activations_are_counted_once_and_only_while_they_are_kept() -> None:
    module = nn.Linear(8, 8, bias=False).requires_grad_(False)
    x = torch.randn(4, 8, requires_grad=True)
    one = 4 * 8 * 4
    assert saved(module, lambda: x * 2) == 0
    assert saved(module, lambda: x.exp()) == one  # its result
    assert saved(module, lambda: x * x) == one  # twice the same
    assert saved(module, lambda: module(x)) == 0  # the weight is the model's
    assert saved(module, lambda: x.exp().detach()) == 0
    assert saved(module, lambda: (x.view(8, 4).sin().sum(), x.cos())) == one  # two views of one storage


def test_time_is_compared_with_the_plain_passes() -> None:
    found = list(cost((TINY,), ("attnlrp.v1", PLAIN), repetitions=1, **SIZES))
    assert [one.what for one in found] == [FLOOR, REFERENCE, SOURCES, "attnlrp.v1", PLAIN]
    assert [one.bar for one in found] == [None, None, None, 1.10, None]
    assert all(one.value > 0 for one in found)
    assert found[0].beside["over forward"] == 1.0
    assert all(one.beside["tokens/s"] == pytest.approx(32_000 / one.beside["ms"]) for one in found)
    assert COMPOSITES[-1] == PLAIN


def test_a_low_precision_is_measured_alike() -> None:
    found = list(cost((LLAMA,), ("attnlrp.v1",), repetitions=1, dtype=torch.bfloat16, bar=None, **SIZES))
    assert [one.met for one in found] == [None] * 4


def test_rules_keep_no_more_than_a_plain_pass_does() -> None:
    found = list(memory((TINY, LLAMA, Shape("T5", 2, 64)), ("attnlrp.v1", "cplrp.v1"), **SIZES))
    assert len(found) == 12
    assert all(one.met for one in found if "saved" in one.what)
    assert all(one.beside["MiB"] / one.beside["plain MiB"] == pytest.approx(one.value) for one in found)


def test_checkpointing_keeps_one_vector_for_each_layer_and_token() -> None:
    shape = Shape("BERT", 12, 64)
    plain, kept, most = checkpointing((shape,), repetitions=1, batch=2, length=32)
    assert plain.bar is not None
    assert kept.bar is None
    assert plain.beside["MiB"] == kept.beside["MiB"]
    vectors = kept.beside["MiB"] * 2**20 / (2 * 32 * 64 * 4)
    assert 12 <= vectors <= 16
    assert kept.value > 4
    assert most.value > 2


def test_memory_grows_with_the_length() -> None:
    found = list(growth((Shape("Llama", 2, 64, 512),), (64, 128, 256)))
    assert [one.what for one in found[:2]] == ["64 tokens, saved", "64 tokens, peak"]
    assert [one.met for one in found if "saved" in one.what] == [None, True, True]
    assert [one.value for one in found if "saved" in one.what][1:] == pytest.approx([2.0, 2.0], abs=0.05)


def test_lengths_are_spread_and_padding_is_what_batches_add() -> None:
    encodings = texts(24, 5, 28)
    assert sorted(map(len, encodings)) == list(range(5, 29))
    assert padding(encodings, 1) == 0
    assert padding([text(torch.arange(length)) for length in (2, 4)], 2) == pytest.approx(2 / 6)
    found = list(mixed_lengths((TINY,), count=12, shortest=3, longest=9, sizes=(4, 2), repetitions=1))
    assert [(one.what, one.bar) for one in found] == [("by 4", 5.0), ("by 2", None)]
    assert all(one.beside["plain f+b"] > 0 for one in found)


def test_captum_explains_the_same_batch_for_the_same_labels() -> None:
    module = TINY.build()
    given = inputs(module, 2, 8)
    logits = module(**given).logits
    labels = logits.argmax(1)
    found = integrated(module, given, labels, steps=50)
    baseline = module(**given | {"input_ids": torch.zeros_like(given["input_ids"])}).logits
    rows = torch.arange(2)
    torch.testing.assert_close(found.sum(1).float(), (logits - baseline)[rows, labels], rtol=0.05, atol=1e-3)
    (one,) = against_captum((TINY,), steps=2, repetitions=1, **SIZES)
    assert one.least
    assert one.beside.keys() == {"captum, ms", "attnlrp.v1, ms", "plain f+b"}


def test_unknown_parts_and_devices_are_refused() -> None:
    with pytest.raises(PipelineError, match="speed"):
        list(engines.engine(["speed"]))
    if not torch.cuda.is_available():
        with pytest.raises(PipelineError, match="no such device"):
            list(engines.engine(device="cuda"))
    assert engines.on_gpu(1, "cuda").keys() <= engines.on_cpu(1).keys()


FINDINGS = [
    Finding("cost", "BERT 6×384", "attnlrp.v1", "over f+b", 1.05, 1.1, beside={"ms": 300.0, "tokens/s": 1600.0, "over forward": 2.2}),
    Finding("lengths", "BERT 6×384", "by 32", "times faster", 1.4, 5.0, least=True),
]


def test_tables_name_the_bars_and_what_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(engines, "engine", lambda parts, **options: asked.append((list(parts), options)) or iter(FINDINGS))
    terminal = CliRunner()
    answer = terminal.invoke(app, ["bench", "engine", "cost", "lengths", "--repetitions", "2"])
    assert answer.exit_code == 0, answer.output
    assert asked == [(["cost", "lengths"], {"repetitions": 2, "device": "cpu"})]
    assert "1 of 2 bars met" in answer.output
    for words in ("≤ 1.1", "≥ 5", "yes", "NO", "attnlrp.v1", "by 32"):
        assert words in answer.output
    assert max(map(len, answer.output.splitlines())) <= 100
    assert terminal.invoke(app, ["bench", "engine", "--strict"]).exit_code == 1
    rows = json.loads(terminal.invoke(app, ["bench", "engine", "--json"]).output)
    assert [(row["part"], row["met"]) for row in rows] == [("cost", "yes"), ("lengths", "NO")]
