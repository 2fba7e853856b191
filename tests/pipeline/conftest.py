"""A tiny ensemble, a tiny corpus and the pipeline that joins them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.pipeline import tiny
from workbench import corpora
from workbench.pipeline.declaration import Pipeline


@dataclass(frozen=True)
class Bench:
    """A folder with everything a run needs."""

    folder: Path
    pipeline: Pipeline

    def write(self, texts: list[tuple[str, str]]) -> None:
        """Replaces the corpus's texts."""
        tiny.save_corpus(self.folder / "texts", texts)


@pytest.fixture(scope="session")
def ensemble_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ensemble saved once."""
    return tiny.save_ensemble(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def bench(tmp_path: Path, ensemble_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A corpus of 30 posts and a pipeline with batches of 8."""
    monkeypatch.setenv("WORKBENCH_CORPORA", str(tmp_path / "corpora"))
    tiny.save_corpus(tmp_path / "texts", tiny.posts(30))
    corpora.add(tmp_path / "texts" / "posts.jsonl", "posts", text="text", label="label")
    pipeline = Pipeline.model_validate(
        {
            "name": "tiny",
            "corpus": {"name": "posts"},
            "model": {"name": str(ensemble_folder)},
            "annotation": {"pipeline": "blank:bn"},
            "batch": 8,
        }
    )
    return Bench(tmp_path, pipeline)
