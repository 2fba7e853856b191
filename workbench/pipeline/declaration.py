"""A pipeline as its author declares it: a TOML file that names a corpus, a model, rules and what to evaluate; no code."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from workbench.errors import PipelineError, PropagationError
from workbench.fingerprint import Json
from workbench.pipeline.corpus_choice import CorpusChoice
from workbench.pipeline.schedule.choice import ScheduleChoice
from workbench.pipeline.strict import Strict
from workbench.rules.composite import composite

#: A user's own folder of declarations, searched before the workbench's.
FOLDER_VARIABLE = "WORKBENCH_PIPELINES"


class ModelChoice(Strict):
    """Which model or ensemble, in which precision."""

    name: str
    revision: str | None = None
    precision: Literal["float32", "bfloat16", "float64"] = "float32"


Component = Literal["residual", "attention", "mlp", "heads", "neurons", "features"]


#: Methods of translations that are no composites, by the names under which their numbers are kept.
METHOD_NAMES = {
    "alpha_beta": "alpha_beta_shares.v1", "alti_plus": "alti_plus.v1", "gradient_x_input_l2": "gradient_x_input_l2.v1",
}  # fmt: skip

#: Components of which only the strongest are kept.
SPARSE = frozenset({"heads", "neurons", "features"})


class RelevanceChoice(Strict):
    """What is explained under which rules: the decision by `vote` (majority) or by mean `probability`.

    `components` are kept beside the tokens: whole streams at every token, of heads, neurons and features the `top` strongest of each layer
    and the sum of the others. `position_layers` keeps the relevance of positions layer by layer.
    """

    composite: str = "attnlrp.v1"
    target: Literal["logit", "contrast", "margin"] = "logit"
    decision: Literal["vote", "probability"] = "vote"
    components: tuple[Component, ...] = ()
    top: int = Field(default=32, gt=0)
    position_layers: bool = False

    @field_validator("components")
    @classmethod
    def each_once(cls, named: tuple[Component, ...]) -> tuple[Component, ...]:
        """The components in one order, each once: the order in a file means nothing."""
        return tuple(sorted(set(named)))

    @property
    def beside(self) -> dict[str, Any]:
        """Options of a trace for what is kept beside the tokens; none where nothing is."""
        asked = self.components or self.position_layers
        return {"watch": self.components, "top": self.top, "position_layers": self.position_layers} if asked else {}

    @property
    def identity(self) -> dict[str, Json]:
        """What determines a stored number; what is kept beside the tokens counts only where something is."""
        counted: dict[str, Json] = {"composite": self.composite, "target": self.target, "decision": self.decision}
        if self.components:
            counted["components"] = list(self.components)
        if set(self.components) & SPARSE:
            counted["top"] = self.top
        return counted | ({"position_layers": True} if self.position_layers else {})


class SimilarityChoice(Strict):
    """How the similarity of two texts is taken apart, and what is kept of it.

    `strongest` cells of each pair and the sum of all others, 0 for all; `factors` in float16 or float32 make the interactions of any two
    texts a product at query time; a text longer than the model's window is refused, or with `long = "cut"` explained as far as it is seen.
    `streams` in bfloat16 take about half the time and are right to about one in a hundred; the similarity stays the model's own.
    """

    composite: str = "bilrp.v1"
    measure: Literal["cosine", "dot"] = "cosine"
    strongest: int = Field(default=0, ge=0)
    factors: Literal["float16", "float32", "none"] = "float16"
    long: Literal["refuse", "cut"] = "refuse"
    streams: Literal["float32", "bfloat16"] = "float32"

    @property
    def identity(self) -> dict[str, Json]:
        """What determines a stored number, or whether it is stored."""
        return {
            "composite": self.composite,
            "measure": self.measure,
            "strongest": self.strongest,
            "factors": self.factors,
            "long": self.long,
            **({"streams": self.streams} if self.streams != "float32" else {}),
        }


class EncoderChoice(Strict):
    """The sentence encoder that compares an output with its source and its reference, and the languages that it knows."""

    name: str
    languages: tuple[str, ...]


class TranslationChoice(Strict):
    """What is translated by which systems, and which tokens are explained how.

    `prefix` names the texts of which every token is explained: the system's own `output`, the `reference`, or another role of the corpus.
    `systems` are further models beside that of [model]; each takes the documents of its own languages. `codes` gives a multilingual model's
    code of a language of the corpus. `prompt` is what a model reads, with `{source}` in it and, where wanted, `{from}` and `{into}`, codes
    of the languages: an instruction for an encoder-decoder such as T5, or what a decoder alone goes on from, for one line. `encoder` judges
    outputs beside BLEU and chrF.
    """

    method: str = "attnlrp"
    target: Literal["argmax", "token", "log_probability", "contrast"] = "argmax"
    prefix: tuple[str, ...] = ("output",)
    beams: int = Field(default=4, gt=0)
    systems: tuple[str, ...] = ()
    codes: Mapping[str, str] = {}
    prompt: str | None = None
    encoder: EncoderChoice | None = None

    @field_validator("prefix", mode="before")
    @classmethod
    def one_or_several(cls, named: Any) -> Any:
        """A single role stands for itself."""
        return (named,) if isinstance(named, str) else named

    @model_validator(mode="after")
    def sound(self) -> TranslationChoice:
        """Something is explained by a known method, and a prompt says where the source stands."""
        try:
            self.composite  # noqa: B018 - knows the method or not
        except PropagationError as error:
            raise ValueError(f"{error.found}: the method {self.method!r} is none of {', '.join(METHOD_NAMES)} or these") from error
        if not self.prefix or len(set(self.prefix)) < len(self.prefix) or "source" in self.prefix:
            raise ValueError("prefix names the texts to explain, each once: output, reference or another role, not source")
        if self.prompt is not None and self.prompt.count("{source}") != 1:
            raise ValueError("prompt needs {source} once, where the text to translate stands")
        return self

    @property
    def composite(self) -> str:
        """The method under the name that is stored."""
        return METHOD_NAMES.get(self.method) or composite(self.method).name

    @property
    def identity(self) -> dict[str, Json]:
        """What determines a stored number, or whether it is stored; beams do so for the system's own output alone."""
        counted: dict[str, Json] = {"composite": self.composite, "target": self.target}
        if self.prompt is not None:
            counted["prompt"] = self.prompt
        return counted | ({"encoder": self.encoder.name} if self.encoder else {})


class RetrievalChoice(Strict):
    """Pairs are queries of the corpus and their `top` passages, ranked by similarity.

    At most `passages` are searched; each is read in windows of `window` tokens (by default the model's) and ranks as its best window.
    """

    top: int = Field(default=5, gt=0)
    passages: int | None = Field(default=None, gt=0)
    window: int | None = Field(default=None, ge=8)


class AnnotationChoice(Strict):
    """Which spaCy pipeline finds the words: one for all texts, or one for each language."""

    pipeline: str | None = None
    languages: Mapping[str, str] = {}

    @model_validator(mode="after")
    def named(self) -> AnnotationChoice:
        """At least one pipeline."""
        if self.pipeline is None and not self.languages:
            raise ValueError("name a pipeline, or one for each language under [annotation.languages]")
        return self


class EvaluationChoice(Strict):
    """How many documents faithfulness is measured on, from which split; 0 leaves it out."""

    documents: int = Field(default=0, ge=0)
    split: str | None = None
    seed: int = 0


class Pipeline(Strict):
    """A whole declaration. `batch` is the number of documents in one job and one transaction."""

    name: str
    title: str = ""
    notes: tuple[str, ...] = ()
    corpus: CorpusChoice
    model: ModelChoice
    relevance: RelevanceChoice = RelevanceChoice()
    similarity: SimilarityChoice | None = None
    translation: TranslationChoice | None = None
    retrieval: RetrievalChoice | None = None
    annotation: AnnotationChoice
    evaluation: EvaluationChoice = EvaluationChoice()
    schedule: ScheduleChoice | None = None
    batch: int = Field(default=128, gt=0)

    @model_validator(mode="after")
    def one_task(self) -> Pipeline:
        """A label's relevance, a similarity or a translation is explained; only similarities are retrieved."""
        tables = [name for name in ("similarity", "translation") if getattr(self, name) is not None]
        if len(tables) + (bool(tables) and "relevance" in self.model_fields_set) > 1:
            both = ["relevance", *tables][-2:]
            raise ValueError(f"[{both[0]}] and [{both[1]}] in one pipeline: declare two")
        if (self.similarity or self.translation) and self.evaluation.documents:
            raise ValueError("[evaluation] measures labels; there are `workbench evaluate similarity` and `evaluate synthetic-translation`")
        if self.retrieval and not self.similarity:
            raise ValueError("[retrieval] needs [similarity]")
        return self

    @property
    def composite(self) -> str:
        """The rules of the pipeline."""
        return (self.translation or self.similarity or self.relevance).composite

    @property
    def identity(self) -> dict[str, Json]:
        """What, beside texts and models, determines a stored number."""
        return (self.translation or self.similarity or self.relevance).identity


def folders() -> list[Path]:
    """Where declarations are looked for: the user's folders, `./pipelines`, then the workbench's own."""
    own = Path(__file__).parents[2] / "pipelines", Path(__file__).parents[1] / "_things" / "pipelines"
    given = [Path(part) for part in os.environ.get(FOLDER_VARIABLE, "").split(os.pathsep) if part]
    return list(dict.fromkeys(folder.resolve() for folder in (*given, Path("pipelines"), *own) if folder.is_dir()))


def names() -> list[str]:
    """All declared pipelines by name."""
    return sorted({path.stem for folder in folders() for path in folder.glob("*.toml")})


def find(name: str) -> Pipeline:
    """Reads a declaration by name or by the path of its TOML file.

    Raises PipelineError for an unknown name, broken TOML, or a key or value that a declaration cannot have.
    """
    candidates = [Path(name)] if name.endswith(".toml") else [folder / f"{name}.toml" for folder in folders()]
    path = next((candidate for candidate in candidates if candidate.is_file()), None)
    if path is None:
        raise PipelineError(
            f"find the pipeline {name}", f"pipelines {', '.join(names()) or 'none'}", "give one of these or the path of a .toml file"
        )
    try:
        return Pipeline.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PipelineError(f"read the pipeline {path}", str(error), "repair the TOML") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors())
        raise PipelineError(f"read the pipeline {path}", problems, "see pipelines/bengali-hate.toml for a complete declaration") from error
