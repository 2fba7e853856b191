"""Translation models as released: Hugging Face encoder-decoders from the hub, its cache or a folder, or one that the workbench carries."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import transformers
from safetensors import SafetensorError
from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    M2M100Tokenizer,
    MarianTokenizer,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)

from workbench import fingerprint
from workbench.errors import ModelError
from workbench.models import pieces, weights
from workbench.models.classifier import PRECISIONS, first_line, shape_of, tokenizer_fingerprint
from workbench.models.places import known_as, location

NO_TRANSLATOR = "use an encoder-decoder (Marian, M2M-100, NLLB, mBART, T5); a pipeline runs a decoder alone with a prompt"


@dataclass(frozen=True, slots=True)
class Translator:
    """A loaded translation model; `window` is the number of tokens that each side can have, special tokens included.

    Languages are codes as the tokenizer knows them, "" where it does not say. `forced` are the tokens every translation begins with after
    the decoder's start token: the target language's code of a multilingual model, else none; `mark` stands before every source of a Marian
    model for several languages (`>>fra<< `). `weights` is the fingerprint of these alone.
    `supervision` says how many pairs a model was trained on, "" where its folder does not say.
    """

    name: str
    module: nn.Module
    tokenizer: PreTrainedTokenizerBase
    window: int
    precision: str
    fingerprint: str
    tokenizer_name: str
    source_language: str
    target_language: str
    forced: tuple[int, ...] = ()
    revision: str | None = None
    mark: str = ""
    weights: str = ""
    supervision: str = ""


def load_translator(
    name: str,
    *,
    revision: str | None = None,
    precision: str = "float32",
    device: str = "cpu",
    source_language: str | None = None,
    target_language: str | None = None,
) -> Translator:
    """Loads a translation model by embedded name (`translation-fr-en`), folder or hub name, unmodified.

    A multilingual model needs the codes of both languages. Weights come from safetensors only and no code of the model's authors is run.
    Raises ModelError for what is no encoder-decoder, a tokenizer that does not say where its tokens stand, a language that the model does
    not know, and what cannot be loaded safely or completely.
    """
    return speaking(load_unspoken(name, revision=revision, precision=precision, device=device), source_language, target_language)


def load_unspoken(name: str, *, revision: str | None = None, precision: str = "float32", device: str = "cpu") -> Translator:
    """The same before its languages are said: `speaking` makes translators of it, of a multilingual model several."""
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    asked = f"load the translation model {name}"
    if precision not in PRECISIONS:
        raise ModelError(asked, f"precision {precision!r}", f"choose one of {', '.join(PRECISIONS)}")
    place = location(name)
    if isinstance(place, Path):
        weights.refuse_unsafe_folder(place)
    options: dict[str, Any] = {"revision": revision, "trust_remote_code": False}
    try:
        config = AutoConfig.from_pretrained(place, **options)
        if not transformers.models.auto.modeling_auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING.get(type(config), None):
            raise ModelError(asked, f"the architecture {config.model_type}", NO_TRANSLATOR)
        with pieces.quiet():
            tokenizer = AutoTokenizer.from_pretrained(place, use_fast=True, **options)
        if not isinstance(tokenizer, (PreTrainedTokenizerFast, *pieces.KNOWN)):
            found = f"a {type(tokenizer).__name__}, which does not say where its tokens stand in a text"
            raise ModelError(asked, found, "use a model with a fast tokenizer (tokenizer.json)")
        module, report = AutoModelForSeq2SeqLM.from_pretrained(
            place, dtype=PRECISIONS[precision], use_safetensors=True, output_loading_info=True, ignore_mismatched_sizes=True, **options
        )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, TypeError, SafetensorError) as error:
        raise ModelError(asked, first_line(error), "check the name or folder; offline, the model must be in the hub's cache") from error
    if missing := sorted(report["missing_keys"]):
        raise ModelError(asked, f"weights without values: {', '.join(missing[:4])}", "use a checkpoint trained for translation")
    if wrong := sorted(str(key[0]) for key in report["mismatched_keys"]):
        raise ModelError(asked, f"weights of another shape than configured: {', '.join(wrong[:4])}", "load weights and config of one model")
    if len(tokenizer) > module.get_input_embeddings().num_embeddings:
        found = f"a tokenizer of {len(tokenizer)} pieces for {module.get_input_embeddings().num_embeddings} embeddings"
        raise ModelError(asked, found, "load model and tokenizer of one checkpoint")
    weights.refuse_not_finite(module, name)
    module.eval().requires_grad_(False).to(device)
    return Translator(
        name=known_as(name),
        module=module,
        tokenizer=tokenizer,
        window=int(min(getattr(config, "max_position_embeddings", 512), tokenizer.model_max_length)),
        precision=precision,
        fingerprint="",
        tokenizer_name="",
        source_language="",
        target_language="",
        revision=getattr(config, "_commit_hash", None),
        weights=weights.fingerprint(module),
        supervision=supervision(place) if isinstance(place, Path) else "",
    )


def supervision(folder: Path) -> str:
    """On how many pairs a model was trained, true ones and back-translated ones, by the figures that stand beside it; "" without them."""
    kept = folder / "figures.json"
    try:
        told = json.loads(kept.read_text("utf-8")) if kept.is_file() else {}
        true, made = (sum(map(int, told.get(name, {}).values())) for name in ("pairs", "back_translated"))
    except (ValueError, AttributeError, TypeError):  # figures of another kind
        return ""
    return f"{true:,} pairs" + (f" + {made:,} back-translated" if made else "") if true else ""


def speaking(translator: Translator, source_language: str | None, target_language: str | None) -> Translator:
    """The same model between these languages, with a tokenizer of its own; ModelError as for `load_translator`."""
    asked = f"translate by {translator.name}"
    config: Any = translator.module.config
    with pieces.quiet():
        tokenizer = copy.deepcopy(translator.tokenizer)
    source, target, forced, mark = languages(asked, tokenizer, source_language, target_language)
    if forced and (start := str(tokenizer.convert_ids_to_tokens(config.decoder_start_token_id or 0))) in codes(tokenizer):
        if start != target:  # such a model has the target language in the decoder's first place
            raise ModelError(asked, f"a decoder that starts with {start!r}, not {target!r}", f"ask for {start!r} or use another model")
        forced = ()
    cuts = tokenizer_fingerprint(tokenizer)
    identity: dict[str, Any] = {"weights": translator.weights, "config": shape_of(config), "tokenizer": cuts, "forced": forced}
    identity |= {"mark": mark} if mark else {}
    return replace(
        translator,
        tokenizer=tokenizer,
        fingerprint=fingerprint.of_json(identity),
        tokenizer_name=f"{translator.name}@{cuts[:12]}",
        source_language=source,
        target_language=target,
        forced=forced,
        mark=mark,
    )


def languages(
    asked: str, tokenizer: PreTrainedTokenizerBase, source: str | None, target: str | None
) -> tuple[str, str, tuple[int, ...], str]:
    """Source and target language, the tokens that a translation begins with, and what stands before a source; sets both languages.

    Raises ModelError when a multilingual model lacks a language or does not know it, or when a model of one pair is asked for another.
    """
    if not multilingual(tokenizer):
        own = tuple(str(tokenizer.init_kwargs.get(key) or "") for key in ("source_lang", "target_lang"))
        for given, known in zip((source, target), own, strict=True):
            if given is not None and known and given != known:
                raise ModelError(asked, f"language {given!r}, the model translates {own[0]} to {own[1]}", "use a model of that pair")
        return source or own[0], target or own[1], (), ""
    known_codes = codes(tokenizer)
    for side, given in unknown(tokenizer, source, target):
        found = f"no {side} language" if given is None else f"the {side} language {given!r}"
        raise ModelError(asked, found, f"give one of the model's {len(known_codes)} codes, such as {', '.join(known_codes[:6])}")
    if isinstance(tokenizer, MarianTokenizer):
        return source or "", str(target), (), f">>{target}<< "
    held: Any = tokenizer
    held.src_lang, held.tgt_lang = source, target
    return str(source), str(target), (code_of(tokenizer, str(target)),), ""


def unknown(tokenizer: PreTrainedTokenizerBase, source: str | None, target: str | None) -> list[tuple[str, str | None]]:
    """The sides whose language a multilingual model has no code for; Marian models ask for that of the target alone."""
    asked = [("source", source)] * (not isinstance(tokenizer, MarianTokenizer)) + [("target", target)]
    known = codes(tokenizer)
    return [(side, language) for side, language in asked if language not in known]


def multilingual(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether a tokenizer writes the codes of languages."""
    if isinstance(tokenizer, MarianTokenizer):
        return bool(tokenizer.supported_language_codes)
    return hasattr(tokenizer, "src_lang")  # only tokenizers of multilingual models have this property


def codes(tokenizer: PreTrainedTokenizerBase) -> list[str]:
    """The language codes of a multilingual tokenizer: those it lists, or its special tokens without a task of their own."""
    if isinstance(tokenizer, MarianTokenizer):
        return sorted(str(code)[2:-2] for code in tokenizer.supported_language_codes)
    if isinstance(tokenizer, M2M100Tokenizer):
        return sorted(tokenizer.lang_code_to_id)
    return sorted(set(tokenizer.all_special_tokens) - {str(token) for token in tokenizer.special_tokens_map.values()})


def code_of(tokenizer: PreTrainedTokenizerBase, language: str) -> int:
    """The token that stands for a language."""
    if isinstance(tokenizer, M2M100Tokenizer):
        return int(tokenizer.get_lang_id(language))
    return int(tokenizer.convert_tokens_to_ids(language))  # type: ignore[arg-type]
