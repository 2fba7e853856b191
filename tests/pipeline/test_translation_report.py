"""From a store of translations to what a person reads: the page, one translation in a terminal, the demo."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.pipeline import tiny_translations as tiny
from tests.pipeline.page_commands import rows_lead_on
from tests.viz.test_similarity_report import wrong
from workbench.cli import app
from workbench.errors import InputError
from workbench.models.translator import load_translator
from workbench.notebook import contributions, translation_map, translation_strip
from workbench.pipeline.reporting import page
from workbench.queries import query
from workbench.queries.translations import translations
from workbench.store import Store
from workbench.store import synthetic_translations as synthetic
from workbench.viz.contribution_charts import by_system, contribution_curve, contribution_groups
from workbench.viz.drawing import svg

NAMES = [f"s{number:02}" for number in range(8)]
DECLARED = {
    "title": "<b>Two</b> systems & their sources",
    "notes": ["Made up."],
    "corpus": {"name": "sentences"},
    "translation": {"method": "attnlrp", "target": "argmax", "prefix": ["output"]},
}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of two systems; the strong one explains references as well."""
    target = tmp_path_factory.mktemp("translations") / "s.duckdb"
    with Store.open(target, "write") as store:
        number = store.begin_run("made-up", DECLARED, {"torch": "1"})
        store.append(synthetic.translations(NAMES, model="strong", references=True), number)
        store.append(synthetic.translations(NAMES, model="weak"), number)
        store.end_run(number, "finished", {})
    return target


def test_a_stored_translation_is_drawn_with_all_of_its_relevance(path: Path) -> None:
    with Store.open(path) as store:
        found = translations(store, "s03")
        sums = store.sql("SELECT target_value FROM translations WHERE identifier = 's03' ORDER BY model, role")["target_value"]
        assert [one.facts["system"] for one in found] == ["strong", "strong", "weak"]
        assert [one.facts.get("text") for one in found] == [None, "reference", None]
        for one, total in zip(found, sums, strict=True):
            assert one.cells["relevance"].sum() == pytest.approx(total, abs=1e-4)
            assert one.steps["form"][-1] == "</s>"
            assert one.steps["source_share"][0] == 1 or len(synthetic.pieces(one.steps["form"][0])) > 1
        split = [one for one in found if one.steps["form"].str.len_chars().max() > 4]  # type: ignore[operator]
        assert all("itself" in one.cells["kind"] for one in split)
        assert translations(store, "s03", model="weak")[0].unit == "logit"
        assert translations(store, "nobody") == []


def test_the_page_is_whole_and_safe(path: Path) -> None:
    html = page(path)
    assert "&lt;b&gt;Two&lt;/b&gt; systems &amp; their sources" in html
    assert "16 translations of 8 sentences" in html
    assert "all sums close to 0.0001" in html
    assert html.count("<figure>") == 5
    assert "strong − weak" in html
    assert html.count('class="strip"') == 8  # two systems, four each
    assert "Kendall" in html
    table = html[html.index("All translations, to sort") :]
    assert table[: table.index("</table>")].count("<tr>") == 1 + 16
    assert [one for one in wrong(html) if one not in ("<br>", "<script>")] == []
    assert html.count("<script>") == 1
    assert rows_lead_on(html) == 7
    assert html.count("<summary>follow</summary>") == 16


def test_answers_are_drawn(path: Path) -> None:
    with Store.open(path) as store:
        curve = query(store, "contributions_by_position", role="all")
        named = by_system(curve)
        assert set(named["system"]) == {"strong · hypothesis", "strong · reference", "weak · hypothesis"}
        assert "source share" in svg(contribution_curve(curve), "curve")
        places = svg(contribution_curve(query(store, "contributions_by_source_position")), "places")
        assert ">relative position in the source<" in places
        levels = query(store, "contributions_by_group", by="supervision", measures="normalized_source_entropy")
        assert "source entropy / ln length" in svg(contribution_groups(levels), "levels")
        with pytest.raises(InputError, match="at once"):
            contribution_curve(query(store, "contributions_by_position", measures="source_share,prefix_entropy"))


def test_a_translation_in_the_terminal(path: Path) -> None:
    answer = CliRunner().invoke(app, ["show", "s03", "--store", str(path), "--format", "table"])
    assert answer.exit_code == 0, answer.output
    assert "share of the source from the second word on" in answer.output
    assert "contributions of the source" in answer.output
    assert max(map(len, answer.output.splitlines())) <= 100
    shown = json.loads(CliRunner().invoke(app, ["show", "s03", "--store", str(path), "--format", "json"]).stdout)
    assert len({(row["model"], row["role"]) for row in shown}) == 3
    assert {"side", "kind", "other_form", "form", "relevance"} <= set(shown[0])


def test_the_demo_prints_figures_and_translations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny.save_translator(tmp_path / "one")
    monkeypatch.setenv("WORKBENCH_CORPORA", str(tiny.save_corpus(tmp_path / "corpora", tiny.sentences(4))))
    declared = f"""
name = "tiny"
title = "Tiny translations"
[corpus]
name = "tiny-sentences"
[model]
name = "{model}"
[translation]
beams = 1
[annotation]
pipeline = "blank:xx"
"""
    (tmp_path / "tiny.toml").write_text(declared, "utf-8")
    answer = CliRunner().invoke(app, ["demo", str(tmp_path / "tiny.toml"), "--folder", str(tmp_path / "demo")])
    assert answer.exit_code == 0, answer.output
    assert "what comes from the source" in answer.output
    assert "share of the source" in answer.output
    assert max(map(len, answer.output.splitlines())) <= 100
    html = (tmp_path / "demo" / "tiny.html").read_text("utf-8")
    assert "Tiny translations" in html


def test_one_translation_without_a_store(tmp_path: Path) -> None:
    folder = tiny.save_translator(tmp_path / "one")
    (folder / "figures.json").write_text('{"pairs": {"a": 1200, "b": 34}, "back_translated": {"a": 0}}', "utf-8")
    model = load_translator(str(folder))
    assert model.supervision == "1,234 pairs"
    own, given = (
        contributions(model, "le chat dort .", beams=1),
        contributions(model, "le chat dort .", "the cat sleeps .", method="alti_plus"),
    )
    assert own.sources["form"].to_list() == ["le", "chat", "dort", "."]
    assert (own.facts["system"], own.unit, given.unit) == ("one", "logit", "share")
    assert given.steps["form"].to_list() == ["the", "cat", "sleeps", ".", "</s>"]
    assert given.cells["relevance"].sum() == pytest.approx(5, abs=1e-3)
    assert "<table>" in translation_map(own)
    assert translation_strip(given).count('class="step"') == 5
    (folder / "figures.json").write_text('["figures of another kind"]', "utf-8")
    assert load_translator(str(folder)).supervision == ""
    with pytest.raises(InputError, match="the model allows 16"):
        contributions(model, "le " * 30)


def test_levels_of_supervision_are_told_apart_by_their_groups(path: Path) -> None:
    with Store.open(path) as store:
        one = contribution_groups(query(store, "contributions_by_group", by="supervision")).to_dict()
        assert one["layer"][1]["encoding"]["color"]["legend"] is None  # the groups say it all
        several = svg(contribution_groups(query(store, "contributions_by_group", by="system", role="all")), "groups")
    assert ">reference<" in several
    assert "strong · reference" not in several
