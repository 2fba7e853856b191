"""The errors a person meets: what was asked, what is there, what to do."""

from __future__ import annotations


class WorkbenchError(Exception):
    """An answer to a person whose request cannot be met: what was asked, what was found, what to do next.

    `retryable` says whether the same request can succeed later without a change by the person (a lock is released, memory frees up).
    """

    exit_code = 2

    def __init__(self, asked: str, found: str, remedy: str, *, retryable: bool = False) -> None:
        super().__init__(asked, found, remedy)
        self.asked = asked
        self.found = found
        self.remedy = remedy
        self.retryable = retryable

    def __str__(self) -> str:
        return f"{self.asked}\n  found: {self.found}\n  do: {self.remedy}"


class InputError(WorkbenchError):
    """A corpus, file or text that cannot be read as it stands."""


class ModelError(WorkbenchError):
    """A model or tokenizer that cannot be loaded or used safely."""


class PropagationError(WorkbenchError):
    """Relevance that cannot be propagated: an operation without a rule, a value that is not finite."""


class AnnotationError(WorkbenchError):
    """A spaCy pipeline or lexicon that cannot annotate the text at hand."""


class StoreError(WorkbenchError):
    """A relevance store that cannot be opened, written or trusted."""


class PipelineError(WorkbenchError):
    """A pipeline declaration that cannot be carried out."""


class MissingExtraError(WorkbenchError):
    """An optional dependency that is not installed; the remedy is the exact install line."""
