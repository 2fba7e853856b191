"""The embedded pipelines over Universal Dependencies: load, annotate, are small, and do what their cards say."""

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.annotation import annotator
from workbench.annotation.pipelines import EMBEDDED, embedded

SENTENCES = {
    "english": ("The committee has approved the new budget. She lives in London.", ["The", "She"], {"has": "have"}, "budget"),
    "german": ("Die Regierung hat den neuen Plan vorgestellt. Sie wohnt in Berlin.", ["Die", "Sie"], {"hat": "haben"}, "Plan"),
    "french": ("Le gouvernement a présenté un nouveau projet. Elle habite dans la ville.", ["Le", "Elle"], {"la": "le"}, "projet"),
    "spanish": ("El gobierno ha presentado un nuevo plan. Ella vive en la ciudad.", ["El", "Ella"], {"la": "el"}, "plan"),
}
NAMES = [name for name in SENTENCES if name in embedded()]
FLOORS = {"upos": 0.85, "features": 0.65, "lemma": 0.8, "uas": 0.65, "las": 0.55}


def figures(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EMBEDDED / name / "figures.json").read_text(encoding="utf-8"))
    return found


def rows(name: str) -> dict[str, list[str]]:
    card = (EMBEDDED / name / "CARD.md").read_text(encoding="utf-8")
    table = card.split("| test |", maxsplit=1)[1].split("\n\n", maxsplit=1)[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return {first: rest for first, *rest in cells}


def test_they_are_found_by_name() -> None:
    assert NAMES
    assert set(NAMES) <= set(embedded())


@pytest.mark.parametrize("name", NAMES)
def test_words_sentences_lemmas_and_heads(name: str) -> None:
    text, firsts, lemmas, thing = SENTENCES[name]
    (words,) = annotator(name).annotate([text])
    assert all(text[word.char_start : word.char_end] == word.form for word in words)
    assert [word.sentence for word in words] == sorted(word.sentence for word in words)
    assert [next(word.form for word in words if word.sentence == number) for number in (0, 1)] == firsts
    assert {word.form: word.lemma for word in words if word.form in lemmas} == lemmas
    noun = next(word for word in words if word.form == thing)
    assert noun.upos == "NOUN"
    assert noun.head is not None
    assert words[noun.head].upos == "VERB"
    assert sum(word.head is None for word in words) == 2
    assert all(word.upos and word.lemma and word.relation for word in words)


@pytest.mark.parametrize("name", NAMES)
def test_small_without_pickles_and_without_the_texts(name: str) -> None:
    files = [path for path in (EMBEDDED / name).rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 16 * 2**20
    strings = json.loads((EMBEDDED / name / "vocab" / "strings.json").read_text(encoding="utf-8"))
    assert len(strings) < 6000
    assert annotator(name).fingerprint == annotator(name).fingerprint


@pytest.mark.parametrize("name", NAMES)
def test_the_card_says_what_was_measured_and_under_which_licence(name: str) -> None:
    found, table = figures(name), rows(name)
    card = (EMBEDDED / name / "CARD.md").read_text(encoding="utf-8")
    assert "CC BY-SA 4.0" in card
    assert len(table) == 2 * len(found["tests"])
    for test, measured in found["tests"].items():
        for row, kind in ((test, "text"), (f"{test}, gold words", "gold words")):
            assert int(table[row][0]) == measured["count"]["words"] > 3000
            assert [float(cell) for cell in table[row][-3:]] == pytest.approx(
                [100 * measured[kind][figure] for figure in ("uas", "las", "sentences")], abs=0.051
            )
            assert measured[kind]["las"] < measured[kind]["uas"]
            assert all(floor < measured[kind][figure] < 0.995 for figure, floor in FLOORS.items() if "PUD" not in test or figure != "lemma")


@pytest.mark.parametrize("name", NAMES)
def test_the_figures_hold_on_a_hundred_sentences(name: str, mirror: Path) -> None:
    spacy = pytest.importorskip("spacy")
    from pipelines.training.universal import measure
    from pipelines.training.universal.languages import RECIPES
    from pipelines.training.universal.treebanks import read

    part = RECIPES[name].test[0]
    if not part.path(mirror).is_file():
        pytest.skip(f"the mirror has no {part.file}")
    sentences = read(part, mirror)[::4][:100]
    again = measure.score(spacy.load(EMBEDDED / name), sentences)
    said = figures(name)["tests"][f"{part.treebank} test"]["text"]
    for figure in FLOORS:
        assert again[figure] == pytest.approx(said[figure], abs=0.06)
