"""What is measured of contributions, on a tiny translation model: structure, what stands beside it, and how a neighbour is asked."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import MarianConfig, MarianMTModel, PreTrainedTokenizerFast
from typer.testing import CliRunner

from workbench.attribution.contributions import METHODS
from workbench.cli.application import app
from workbench.document import Document
from workbench.errors import InputError
from workbench.models.translation import load_translator
from workbench.pipeline.bench import neighbour
from workbench.pipeline.bench import translation as bench

WORDS = ["</s>", "<unk>", "<pad>", "le", "chat", "dort", "the", "cat", "sleeps", "."]
ANSWERS = """
import json, sys
print(json.dumps({"inseq": "0"}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    print(json.dumps({"seconds": 60.0 * len(asked["sources"]) * asked["options"].get("n_steps", 1)}), flush=True)
"""


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A tiny random Marian, and three sentences in place of a corpus."""
    torch.manual_seed(0)
    plain = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="<unk>"))
    plain.pre_tokenizer = pre_tokenizers.Whitespace()
    plain.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 0)])
    PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=plain, model_max_length=16, eos_token="</s>", unk_token="<unk>", pad_token="<pad>"
    ).save_pretrained(tmp_path / "tiny")
    MarianMTModel(
        MarianConfig(
            vocab_size=len(WORDS),
            d_model=16,
            encoder_layers=1,
            decoder_layers=1,
            encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=24,
            decoder_ffn_dim=24,
            max_position_embeddings=16,
            eos_token_id=0,
            forced_eos_token_id=0,
            pad_token_id=2,
            decoder_start_token_id=2,
        )
    ).save_pretrained(tmp_path / "tiny")
    texts = [("le chat dort .", "the cat sleeps ."), ("le chat", "the cat"), ("chat " * 40, "cat")]

    def documents(_: object) -> Iterator[Document]:
        for place, (source, reference) in enumerate(texts):
            yield Document("tiny", f"{place}", {"source": source, "reference": reference})

    monkeypatch.setattr(bench, "find", lambda name: name)
    monkeypatch.setattr(bench, "read", documents)
    return str(tmp_path / "tiny")


def test_every_method_stands_beside_plain_passes(model: str) -> None:
    found = list(bench.translation(model, length=5, sentences=2, repetitions=1))
    assert [one.what for one in found] == 2 * [bench.FORWARD, bench.BOTH, *METHODS]
    assert [one.value for one in found if one.what == bench.FORWARD] == [1.0, 1.0]
    assert all(one.beside["/(f+b)"] == 1.0 for one in found if one.what == bench.BOTH)
    assert {one.bar for one in found} == {None}
    assert found[0].shape == "4.0 tokens"


def test_sentences_are_those_nearest_to_the_length_that_the_model_can_take(model: str) -> None:
    translator = load_translator(model)
    assert bench.sample(translator, "tiny", 3, 1).targets == ["the cat"]
    assert len(bench.sample(translator, "tiny", 3, 9).translations) == 2


def test_a_neighbour_is_asked_and_its_time_compared(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "side.py").write_text(ANSWERS, "utf-8")
    monkeypatch.setattr(neighbour, "SIDE", tmp_path / "side.py")
    found = {(one.part, one.what): one for one in bench.translation(model, sys.executable, length=5, sentences=2, repetitions=1)}
    milliseconds = {what: one.beside["ms/sentence"] for (_, what), one in found.items() if one.beside}
    assert milliseconds[bench.GRADIENT] == 60_000.0
    assert milliseconds[bench.INTEGRATED] == 20 * 60_000.0
    faster = [one for one in found.values() if one.bar is not None]
    assert [(one.what, one.bar, one.met) for one in faster] == [("attnlrp", 1.0, True), ("attnlrp", 5.0, True)]


@pytest.mark.parametrize("interpreter", [sys.executable, "no-such-python"])
def test_an_environment_without_the_neighbour_is_refused(model: str, interpreter: str) -> None:
    # the workbench's own environment has no inseq
    with pytest.raises(InputError, match="inseq"):
        list(bench.translation(model, interpreter, length=5, sentences=2, repetitions=1))


def test_the_command_prints_the_tables(model: str) -> None:
    answer = CliRunner().invoke(app, ["bench", "translation", "--model", model, "--length", "5", "--sentences", "2", "--repetitions", "1"])
    assert answer.exit_code == 0, answer.output
    assert "attnlrp" in answer.output
    assert max(map(len, answer.output.splitlines())) <= 100
