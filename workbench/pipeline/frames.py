"""Rows gathered one document after another, turned into the frames of a batch at the end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from workbench.annotation.annotator import Annotator
from workbench.batch import LEFT_OUT, SCHEMAS, Batch
from workbench.document import Document, Word
from workbench.encoding import Encoding
from workbench.errors import WorkbenchError
from workbench.relevance import Explanation, Ledger

if TYPE_CHECKING:
    from workbench.models.encode import TokenizerLoss


class Rows:
    """The rows of a batch in the making; identifiers of documents and explanations count from 0."""

    def __init__(self) -> None:
        self.columns: dict[str, dict[str, list[Any]]] = {table: {name: [] for name in schema} for table, schema in SCHEMAS.items()}
        self.documents = 0
        self.explanations = 0

    def add(self, table: str, **values: Any) -> None:
        """Adds one row; every column of the table must be given."""
        columns = self.columns[table]
        for name, values_so_far in columns.items():
            values_so_far.append(values[name])

    def extend(self, table: str, count: int, **values: Any) -> None:
        """Adds `count` rows; a value that is no list is the same in all of them."""
        for name, values_so_far in self.columns[table].items():
            value = values[name]
            values_so_far.extend(value if isinstance(value, list) else [value] * count)

    def document(self, document: Document) -> int:
        """Adds a document; returns its identifier in the batch."""
        here = self.documents
        self.documents += 1
        metadata = json.dumps(dict(document.metadata), ensure_ascii=False, sort_keys=True)
        self.add(
            "document",
            document=here,
            corpus=document.corpus,
            identifier=document.identifier,
            fingerprint=document.fingerprint,
            label=document.label,
            split=document.split,
            language=document.language,
            metadata=metadata,
        )
        return here

    def segment(self, document: int, role: str, text: str, words: Sequence[Word], annotator: Annotator) -> None:
        """Adds one text of a document and the words that an annotator found in it."""
        self.add("segment", document=document, role=role, text=text)
        self.add("annotation", document=document, role=role, annotator=annotator.name, fingerprint=annotator.fingerprint)
        for word in words:
            values = {name: getattr(word, name) for name in SCHEMAS["word"] if name not in ("document", "role", "annotator", "word")}
            self.add("word", document=document, role=role, annotator=annotator.name, word=word.index, **values)

    def tokens(self, document: int, role: str, tokenizer: str, encoding: Encoding) -> None:
        """Adds the tokens of one text."""
        self.extend(
            "token",
            len(encoding),
            document=document,
            role=role,
            tokenizer=tokenizer,
            token=list(range(len(encoding))),
            char_start=[start for start, _ in encoding.spans],
            char_end=[end for _, end in encoding.spans],
            piece=list(encoding.tokens),
            special=list(encoding.special),
        )

    def predictions(
        self,
        document: int,
        role: str,
        model: str,
        labels: Sequence[str],
        logits: list[float],
        probabilities: list[float],
        votes: list[int] | None = None,
    ) -> None:
        """Adds what a model says of every label."""
        self.extend(
            "prediction",
            len(labels),
            document=document,
            role=role,
            model=model,
            label=list(labels),
            logit=logits,
            probability=probabilities,
            votes=votes,
        )

    def explanation(self, ledger: Ledger, **values: Any) -> int:
        """Adds an explanation with its ledger; returns its identifier in the batch."""
        here = self.explanations
        self.explanations += 1
        self.add("explanation", explanation=here, target_value=ledger.target, gap=ledger.gap, **ledger.accounts, **values)
        return here

    def relevance(self, explanation: int, result: Explanation) -> None:
        """Adds the relevance of an explanation's tokens."""
        self.extend(
            "token_relevance",
            len(result.tokens),
            explanation=explanation,
            token=list(range(len(result.tokens))),
            relevance=result.tokens.tolist(),
            position=result.positions.tolist(),
            sensitivity=result.sensitivity.tolist(),
        )

    def layers(self, explanation: int, result: Explanation) -> None:
        """Adds what softmax absorbed in each layer, and the relevance of positions by layer where it was asked for."""
        softmax = result.ledger.softmax_layers
        self.extend(
            "layer_relevance",
            len(softmax),
            explanation=explanation,
            account="softmax",
            layer=list(softmax),
            relevance=list(softmax.values()),
        )
        for part in result.position_layers:
            self.extend(
                "position_relevance",
                len(part.values),
                explanation=explanation,
                kind=part.kind,
                layer=part.layer,
                position=list(range(part.first, part.first + len(part.values))),
                relevance=part.values.tolist(),
            )

    def components(self, explanation: int, result: Explanation) -> None:
        """Adds the components of each kind and layer, and the sum of what was left out of them."""
        for part in result.components:
            self.extend(
                "component_relevance",
                len(part.relevance) + 1,
                explanation=explanation,
                kind=part.kind,
                layer=part.layer,
                token=[*part.token.tolist(), LEFT_OUT],
                unit=[*part.unit.tolist(), LEFT_OUT],
                relevance=[*part.relevance.tolist(), part.rest],
            )

    def losses(self, document: int, role: str, model: str, losses: Sequence[TokenizerLoss]) -> None:
        """Adds what a member's tokenizer dropped from a text, as scores of the method `tokenizer`."""
        for loss in losses:
            self.add(
                "score",
                document=document,
                role=role,
                model=model,
                method="tokenizer",
                ordering="",
                metric=loss.kind,
                value=float(loss.count),
            )

    def failure(self, document: Document, fingerprint: str, stage: str, error: WorkbenchError) -> None:
        """Adds a document that could not be worked on, with the reason; `fingerprint` is that of the explanation it has not got."""
        self.add(
            "failure",
            corpus=document.corpus,
            identifier=document.identifier,
            fingerprint=fingerprint,
            stage=stage,
            error=str(error),
            retryable=error.retryable,
            content=document.fingerprint,
        )

    def batch(self) -> Batch:
        """All rows as a batch."""
        return Batch({table: pl.DataFrame(columns, schema=dict(SCHEMAS[table])) for table, columns in self.columns.items()})
