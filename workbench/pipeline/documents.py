"""The documents that a pipeline names."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from workbench import corpora
from workbench.corpora import Declaration, Report
from workbench.document import Document
from workbench.errors import PipelineError
from workbench.pipeline.corpus_choice import CorpusChoice
from workbench.pipeline.declaration import Pipeline


def documents(pipeline: Pipeline) -> tuple[Declaration, list[Document], Report]:
    """The documents that a pipeline names, and what was met in reading them; splits one after another, the limit counts all of them."""
    choice = pipeline.corpus
    declaration = corpus_of(choice)
    found: list[Document] = []
    report = Report()
    for split in choice.splits or (choice.split,):
        left = None if choice.limit is None else choice.limit - len(found)
        reading = corpora.read(declaration, split, left, choice.languages or None)
        found += reading
        report.add(reading.report)
    return declaration, found, report


def corpus_of(choice: CorpusChoice) -> Declaration:
    """The registered corpus, or one made of the pipeline's own sources."""
    if not choice.sources:
        return corpora.find(choice.name)
    files = [
        {"path": source.path if source.path.startswith("postgres") else str(Path(source.path).expanduser().absolute()),
         "query": source.query, "split": source.split}
        for source in choice.sources
    ]  # fmt: skip
    try:
        return Declaration.model_validate(
            {
                "name": choice.name, "title": choice.name, "language": choice.language, "licence": "not stated", "reader": "sources",
                "source": {"text": "sources of a pipeline", "files": files}, "fields": dict(choice.fields or {}), "folder": Path.cwd(),
            }
        )  # fmt: skip
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, item['loc'])) or 'corpus'}: {item['msg']}" for item in error.errors(include_url=False))
        remedy = 'fields are those of a corpus: segments = { text = "body" }, label = "queue", identifier = "id"'
        raise PipelineError(f"read the sources of the corpus {choice.name}", wrong, remedy) from None
