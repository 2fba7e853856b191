"""One job, whatever happens to single documents: what fails is a row among the failures, and everything else is kept.

* An error that can pass by itself (a connection, a busy file) is tried again after growing pauses.
* Where memory runs out, the job is halved, down to one document; its text is then explained in little memory, and in ever more windows.
* A document that fails by itself is found by halving, and recorded with its error.
* A document with a number that is not finite is recorded in place of its numbers: NaN never enters a store.

What no document is to blame for ends the run: a model, a pipeline, a store, and what meets the first and the last document of a job alike.
"""

from __future__ import annotations

import errno
import gc
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from workbench.batch import Batch, joined
from workbench.errors import AnnotationError, InputError, MissingExtraError, ModelError, PipelineError, StoreError, WorkbenchError
from workbench.pipeline.finite import sound
from workbench.pipeline.frames import Rows
from workbench.pipeline.plan import Wanted
from workbench.pipeline.worker import Job, Told, Worker, no_one

#: No document is to blame for these, and nothing but documents for those.
ENDING = (ModelError, PipelineError, StoreError, MissingExtraError)
OWN = (InputError, AnnotationError)
#: What PyTorch and its allocators say when memory runs out, on a processor or an accelerator.
NO_MEMORY = re.compile(
    r"out of memory|can't allocate memory|not enough memory|bad_alloc|CUBLAS_STATUS_ALLOC_FAILED|Unable to allocate", re.I
)
#: Errors of the operating system that can pass by themselves.
PASSING = frozenset(
    {
        errno.EAGAIN, errno.EINTR, errno.EBUSY, errno.ETIMEDOUT, errno.ECONNRESET, errno.ECONNREFUSED, errno.ECONNABORTED, errno.ENETDOWN,
        errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENOBUFS, errno.EMFILE, errno.ENFILE, errno.ESTALE,
    }
)  # fmt: skip
TRIES = 4
LONGEST_PAUSE = 8.0
#: How often a text that does not fit is tried in less memory; the last time in 64 windows.
STEPS = 7


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a job failed, without the frames that its exception holds in memory."""

    kind: str
    error: WorkbenchError

    @property
    def is_memory(self) -> bool:
        """Whether memory ran out."""
        return self.kind == "memory"

    @property
    def is_of_a_document(self) -> bool:
        """Whether nothing but a document can be to blame."""
        return self.is_memory or isinstance(self.error, OWN)


def attempt(worker: Worker, job: Job, told: Told = no_one) -> Batch:
    """The batch of a job with what failed among its failures; its `effort` says how often it was halved, paused or read in windows.

    Raises what ends a run: errors of models, pipelines and stores, and what meets the first and the last document alike.
    """
    effort: Counter[str] = Counter()
    batches = list(in_parts(worker, job, told, effort, TRIES))
    if len(batches) == 1 and not effort:
        return batches[0]
    whole = joined(batches)
    return Batch(whole.frames, dict(Counter(whole.effort) + effort))


def in_parts(worker: Worker, job: Job, told: Told, effort: Counter[str], tries: int = 1) -> Iterator[Batch]:
    """The batches of a job, whole or halved until each part is done or is one document that fails."""
    try:
        yield patiently(lambda part: worker(part, told), job, effort, tries)
        return
    except ENDING:
        raise
    except Exception as error:  # whatever one document does must not take the others with it
        trouble = trouble_of(error)
        if tries > 1 and not trouble.is_of_a_document and of_all(worker, job, trouble):
            raise
    release()
    if len(job) > 1:
        effort["halved"] += trouble.is_memory
        middle = (len(job) + 1) // 2
        yield from in_parts(worker, job[:middle], told, effort)
        yield from in_parts(worker, job[middle:], told, effort)
    elif trouble.is_memory:
        yield sparingly(worker, job[0], trouble)
    else:
        yield failed(job[0], "explain", trouble.error)


def patiently(work: Callable[[Job], Batch], job: Job, effort: Counter[str], tries: int) -> Batch:
    """The batch of a job, tried again after growing pauses while its error is one that can pass."""
    from tenacity import (
        Retrying,
        retry_if_exception,
        stop_after_attempt,
        wait_random_exponential,
    )  # where nothing is done, it is not needed

    trying = Retrying(
        retry=retry_if_exception(passes),
        stop=stop_after_attempt(tries),
        wait=wait_random_exponential(multiplier=0.5, max=LONGEST_PAUSE),
        before_sleep=lambda _: effort.update(["paused"]),
        reraise=True,
    )
    return sound(trying(work, job), job)


def sparingly(worker: Worker, item: Wanted, trouble: Trouble) -> Batch:
    """One document that does not fit into memory: in as little as it can be computed in, then in ever more windows, then as a failure."""
    smaller: Callable[[Wanted, int], Batch] | None = getattr(worker, "sparingly", None)
    for step in range(STEPS if smaller is not None else 0):
        try:
            return sound(smaller(item, step), [item])  # type: ignore[misc]
        except ENDING:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            if not out_of_memory(error):
                break
            trouble = trouble_of(error)
        release()
    return failed(item, trouble.kind, trouble.error)


def failed(item: Wanted, stage: str, error: WorkbenchError) -> Batch:
    """A batch that says of one document that it failed, and why."""
    rows = Rows()
    rows.failure(item.document, item.fingerprint, stage, error)
    return rows.batch()


def of_all(worker: Worker, job: Job, trouble: Trouble) -> bool:
    """Whether the first and the last of several documents alone meet the same error: then it is not theirs."""
    for item in (job[0], job[-1]):
        try:
            worker([item])
        except Exception as error:  # noqa: BLE001 - another error is another matter
            if str(trouble_of(error).error) != str(trouble.error):
                return False
        else:
            return False
    return len(job) > 1


def trouble_of(error: Exception) -> Trouble:
    """The error in a person's words; a defect of ours or of a library by its type and place."""
    if out_of_memory(error):
        found, remedy = "no memory left for this text", "free memory or use a larger machine; shorter texts fit"
        return Trouble("memory", InputError("explain a text", found, remedy, retryable=True))
    if isinstance(error, WorkbenchError):
        return Trouble("explain", error)
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" ({place.tb_frame.f_globals.get('__name__', '?')}, line {place.tb_lineno})" if place is not None else ""
    found = f"{type(error).__name__}: {str(error)[:300]}{where}"
    return Trouble("explain", WorkbenchError("explain a text", found, "repair or leave out this text", retryable=passes(error)))


def out_of_memory(error: BaseException | None) -> bool:
    """Whether an exception, or one that it came from, says that memory ran out."""
    while error is not None:
        if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and NO_MEMORY.search(str(error))):
            return True
        error = error.__cause__ or error.__context__
    return False


def passes(error: BaseException) -> bool:
    """Whether an error can pass by itself, memory aside."""
    if isinstance(error, WorkbenchError):
        return error.retryable and not isinstance(error, ENDING)
    return isinstance(error, ConnectionError | TimeoutError) or (isinstance(error, OSError) and error.errno in PASSING)


def release() -> None:
    """Give back what a failed attempt still holds."""
    gc.collect()
    torch: Any = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
