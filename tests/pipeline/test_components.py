"""What is kept beside the tokens: layers always, positions by layer and components where the declaration asks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.pipeline.conftest import Bench
from workbench import fingerprint
from workbench.attribution.trace import explain
from workbench.errors import PipelineError
from workbench.models.encode import encode
from workbench.models.ensemble import load_ensemble
from workbench.pipeline.declaration import Pipeline, RelevanceChoice, find
from workbench.pipeline.documents import documents
from workbench.pipeline.forecast import forecast
from workbench.pipeline.plan import wanted
from workbench.pipeline.run import run
from workbench.store import Store, verify

ASKED: dict[str, Any] = {"components": ["residual", "neurons", "heads"], "top": 5, "position_layers": True}


def asking(pipeline: Pipeline, **changes: Any) -> Pipeline:
    """The pipeline with other choices of relevance."""
    return Pipeline.model_validate(pipeline.model_dump() | {"relevance": changes})


def test_what_is_not_asked_for_leaves_identities_as_they_were(bench: Bench) -> None:
    _, everything, _ = documents(bench.pipeline)
    one = wanted(everything, "model", bench.pipeline)[0]
    known = {"role": "text", "model": "model", "precision": "float32", "composite": "attnlrp.v1", "target": "logit", "decision": "vote"}
    assert one.fingerprint == fingerprint.of_json({"document": one.document.fingerprint, **known})
    others: list[dict[str, Any]] = [{}, {"top": 5}, {"components": ["residual"], "top": 5}, {"components": ["residual"]}]
    others += [ASKED, ASKED | {"top": 6}, ASKED | {"position_layers": False}]
    prints = [wanted(everything, "model", asking(bench.pipeline, **choice))[0].fingerprint for choice in others]
    assert prints[0] == prints[1] == one.fingerprint
    assert prints[2] == prints[3]
    assert len(set(prints)) == 5
    swapped = ASKED | {"components": ["heads", "residual", "neurons", "heads"]}
    assert RelevanceChoice.model_validate(swapped) == RelevanceChoice.model_validate(ASKED)


def test_a_declaration_names_components_that_there_are(tmp_path: Any) -> None:
    path = tmp_path / "p.toml"
    text = 'name = "x"\n[corpus]\nname = "c"\n[model]\nname = "m"\n[annotation]\npipeline = "blank:bn"\n[relevance]\n'
    path.write_text(text + 'components = ["residual", "features"]\ntop = 8\nposition_layers = true\n')
    assert find(str(path)).relevance.components == ("features", "residual")
    for line, said in (('components = ["synapses"]', "components"), ("top = 0", "top")):
        path.write_text(text + line)
        with pytest.raises(PipelineError, match=said):
            find(str(path))


def test_softmax_is_kept_by_layer_and_sums_to_its_account(bench: Bench) -> None:
    store = bench.folder / "s.duckdb"
    run(bench.pipeline, store)
    with Store.open(store) as opened:
        layers = opened.sql("SELECT DISTINCT layer FROM layer_relevance ORDER BY layer")["layer"].to_list()
        gap = opened.sql(
            "SELECT max(abs(e.softmax - l.total)) AS gap, count(*) AS n FROM explanations e "
            "JOIN (SELECT explanation, sum(relevance) AS total FROM layer_relevance GROUP BY 1) l USING (explanation)"
        ).row(0)
        beside = opened.sql("SELECT (SELECT count(*) FROM component_relevance), (SELECT count(*) FROM position_layers)").row(0)
    assert {0, 1} <= set(layers)
    assert gap == (pytest.approx(0, abs=1e-9), 60)
    assert beside == (0, 0)


def test_components_and_positions_are_those_of_the_engine(bench: Bench) -> None:
    store = bench.folder / "s.duckdb"
    run(bench.pipeline, store)
    asked = asking(bench.pipeline, **ASKED)
    assert forecast(asked, store).plan.reasons == {"settings changed (target, precision or what is kept)": 30}
    run(asked, store)
    assert run(asked, store).explained == 0
    assert verify(store).clean
    ensemble = load_ensemble(bench.pipeline.model.name)
    with Store.open(store) as opened:
        assert opened.sql("SELECT count(*) AS n FROM explanations")["n"][0] == 90
        for view in ("component_relevance", "position_layers", "layer_relevance"):
            assert set(opened.sql(f"SELECT DISTINCT model FROM {view}")["model"]) == {member.name for member in ensemble.members}
        for member in ensemble.members:
            texts = opened.sql(
                "SELECT e.explanation, e.label, s.text FROM explanations e JOIN segments s USING (document) WHERE e.model = ? "
                "ORDER BY explanation LIMIT 4", [member.name],
            )  # fmt: skip
            for number, label, text in texts.iter_rows():
                encoding = encode(member.tokenizer, text, member.window)
                labels = [ensemble.labels.index(label)]
                (one,) = explain(
                    member.module, [encoding], labels=labels, watch=ASKED["components"], top=ASKED["top"], position_layers=True
                )
                assert {(part.kind, part.layer) for part in one.components} == {
                    (kind, layer) for kind in ASKED["components"] for layer in (0, 1)
                }
                for part in one.components:
                    kept = opened.sql(
                        "SELECT token, unit, relevance FROM component_relevance WHERE explanation = ? AND kind = ? AND layer = ? "
                        "ORDER BY token, unit", [number, part.kind, part.layer],
                    )  # fmt: skip
                    assert kept.row(0)[:2] == (-1, -1)
                    np.testing.assert_allclose(kept["relevance"], [part.rest, *part.relevance], atol=1e-6)
                    np.testing.assert_array_equal(kept["token"][1:], part.token)
                    np.testing.assert_array_equal(kept["unit"][1:], part.unit)
                for reading in one.position_layers:
                    kept = opened.sql(
                        "SELECT position, relevance FROM position_layers WHERE explanation = ? AND kind = ? AND layer = ? ORDER BY 1",
                        [number, reading.kind, reading.layer],
                    )
                    assert kept["position"].to_list() == list(range(reading.first, reading.first + len(reading.values)))
                    np.testing.assert_allclose(kept["relevance"], reading.values, atol=1e-6)
                assert one.position_layers
