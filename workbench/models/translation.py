"""Translating: beam search over many sentences of about one length together, in the order they were given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor

from workbench.encoding import Encoding
from workbench.errors import InputError
from workbench.models.encode import encode
from workbench.models.translator import Translator, code_of, load_translator

__all__ = ["Translator", "continued", "generate", "load_translator", "source_of", "target_of", "translate"]

#: Told how many sentences are translated, and how many there are.
Progress: TypeAlias = Callable[[int, int], None]
BATCH = 32


def source_of(translator: Translator, text: str) -> Encoding:
    """Encodes a sentence to translate; raises InputError for one without words or longer than the model's window."""
    found, before = whole(translator, translator.mark + text, "a source"), len(translator.mark)
    if not before:
        return found
    spans = tuple((max(0, start - before), max(0, end - before)) for start, end in found.spans)
    return Encoding(found.ids, found.tokens, spans, found.special, found.coverage)


def target_of(translator: Translator, text: str) -> Encoding:
    """Encodes a translation to be explained, without the language code that stands before it in a multilingual model.

    Raises InputError for one without words or longer than the model's window.
    """
    tokenizer: Any = translator.tokenizer
    if not hasattr(tokenizer, "src_lang"):
        return whole(translator, text, "a target")
    tokenizer.src_lang = translator.target_language
    try:
        found = whole(translator, text, "a target")
    finally:
        tokenizer.src_lang = translator.source_language
    code = code_of(tokenizer, translator.target_language)
    kept = [place for place, identifier in enumerate(found.ids) if identifier != code]
    return Encoding(
        tuple(found.ids[place] for place in kept),
        tuple(found.tokens[place] for place in kept),
        tuple(found.spans[place] for place in kept),
        tuple(found.special[place] for place in kept),
        found.coverage,
    )


def whole(translator: Translator, text: str, side: str) -> Encoding:
    """Encodes a text of which nothing may be cut off: a translation of half a sentence is none."""
    found = encode(translator.tokenizer, text, translator.window, target=side == "a target")
    if found.coverage < 1:
        number = len(translator.tokenizer(text, verbose=False)["input_ids"])
        asked, problem = f"encode {side} for {translator.name}", f"{number} tokens, the model allows {translator.window}: {text[:40]!r}"
        raise InputError(asked, problem, "split the text into sentences or leave it out")
    return found


def translate(
    translator: Translator, texts: Sequence[str], beams: int = 4, batch: int = BATCH, progress: Progress | None = None
) -> list[str]:
    """Translations of the texts by beam search; `beams=1` takes the likeliest token at every step.

    `batch` texts go together, those of about one length. Raises InputError for the first text without words or longer than the window.
    """
    generated = generate(translator, [source_of(translator, text) for text in texts], beams, batch, progress)
    return [str(translator.tokenizer.decode(list(ids), skip_special_tokens=True)) for ids in generated]


@torch.no_grad()
def generate(
    translator: Translator, sources: Sequence[Encoding], beams: int = 4, batch: int = BATCH, progress: Progress | None = None
) -> list[tuple[int, ...]]:
    """Token identifiers of the translations of encoded sources, with the end token, without start token, language code and padding."""
    found: list[tuple[int, ...]] = [()] * len(sources)
    done = 0
    for places in batches([len(source) for source in sources], batch):
        for place, ids in zip(places, search(translator, [sources[place].ids for place in places], beams), strict=True):
            found[place] = ids
        done += len(places)
        if progress is not None:
            progress(done, len(sources))
    return found


def batches(lengths: Sequence[int], batch: int) -> list[list[int]]:
    """Places of the sources, at most `batch` together, those of one batch with one limit to their translations."""
    found: list[list[int]] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        if not found or len(found[-1]) == batch or limit(lengths[found[-1][0]]) != limit(lengths[place]):
            found.append([])
        found[-1].append(place)
    return found


def limit(length: int) -> int:
    """The longest translation of a source of this length: about twice as many tokens and twenty more.

    It depends on the source alone (in steps of eight tokens), so that no sentence ends otherwise for the company it was translated in.
    """
    return 2 * 8 * -(-length // 8) + 20


def search(
    translator: Translator, sources: Sequence[tuple[int, ...]], beams: int, beginnings: Sequence[tuple[int, ...]] = ()
) -> list[tuple[int, ...]]:
    """Beam search over one batch; `beginnings`, all of one length, are where it starts from."""
    tokenizer: Any = translator.tokenizer
    module = translator.module
    longest = max(map(len, sources))
    padding = int(tokenizer.pad_token_id)
    device = next(module.parameters()).device
    rows = torch.tensor([[*ids, *[padding] * (longest - len(ids))] for ids in sources], device=device)
    mask = torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids in sources], device=device)
    options: dict[str, Any] = {"forced_bos_token_id": translator.forced[0]} if translator.forced else {}
    room = limit(longest)
    if beginnings:
        options = {"decoder_input_ids": torch.tensor([[*translator.forced, *ids] for ids in beginnings], device=device)}  # behind the start
        room += len(beginnings[0])
    outputs: Tensor = module.generate(  # type: ignore[operator]
        input_ids=rows, attention_mask=mask, num_beams=beams, do_sample=False, max_length=min(translator.window, room), **options
    )
    skipped = 1 + len(translator.forced)
    return [ended(tuple(row[skipped:]), int(tokenizer.eos_token_id), padding) for row in outputs.tolist()]


@torch.no_grad()
def continued(
    translator: Translator, sources: Sequence[tuple[int, ...]], beginnings: Sequence[tuple[int, ...]], beams: int = 4, batch: int = BATCH
) -> list[tuple[int, ...]]:
    """Translations that go on from given target tokens, these included; beginnings of one length go together.

    Raises InputError for a beginning that leaves no room in the model's window.
    """
    found: list[tuple[int, ...]] = [()] * len(sources)
    for number in sorted(set(map(len, beginnings))):
        if 1 + len(translator.forced) + number >= translator.window:
            problem = f"a beginning of {number} tokens, the model allows {translator.window}"
            raise InputError(f"continue a translation by {translator.name}", problem, "give a shorter one")
        alike = [place for place, beginning in enumerate(beginnings) if len(beginning) == number]
        for some in batches([len(sources[place]) for place in alike], batch):
            places = [alike[place] for place in some]
            given = [beginnings[place] for place in places]
            for place, ids in zip(places, search(translator, [sources[place] for place in places], beams, given), strict=True):
                found[place] = ids
    return found


def ended(ids: tuple[int, ...], end: int, padding: int) -> tuple[int, ...]:
    """The identifiers up to the end token; without padding where a search stopped before it."""
    if end in ids:
        return ids[: ids.index(end) + 1]
    return tuple(identifier for identifier in ids if identifier != padding)
