"""Lexicons in text files: form to lemma, term to category."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from workbench import fingerprint
from workbench.errors import AnnotationError

_JOINERS = str.maketrans(dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", ""))


def key(form: str) -> str:
    """The spelling under which a form is looked up: NFC, without joiners; case and everything else as it stands."""
    return unicodedata.normalize("NFC", form.translate(_JOINERS))


@dataclass(frozen=True, slots=True)
class Lexicon:
    """One value for each form: its lemma, or its category. `fingerprint` is that of the file's bytes."""

    name: str
    fingerprint: str
    values: Mapping[str, str]

    def get(self, form: str) -> str | None:
        """The value of a form, None where the lexicon has none."""
        return self.values.get(key(form))

    def __len__(self) -> int:
        return len(self.values)


def read_lexicon(path: Path | str) -> Lexicon:
    """Read a lexicon of `form<TAB>value` lines in UTF-8; empty lines and lines that start with `#` and a blank are left out.

    A form with several values gets the most frequent, the first among equals: running text with lemmas is a lexicon too.
    Raises AnnotationError for a file that is missing, not UTF-8, without entries, or with a line that is not two columns.
    """
    path = Path(path)
    asked = f"read the lexicon {path}"
    remedy = "give a UTF-8 text file with one form, a tab and one value on each line"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise AnnotationError(asked, error.strerror or str(error), remedy) from None
    except UnicodeDecodeError as error:
        raise AnnotationError(asked, f"byte {error.start} is not UTF-8", remedy) from None
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.startswith("# "):
            continue
        columns = [column.strip() for column in line.split("\t")]
        if len(columns) != 2 or not all(columns):
            raise AnnotationError(asked, f"line {number} has {len(columns)} column(s), or an empty one: {line[:60]!r}", remedy)
        counts[key(columns[0])][key(columns[1])] += 1
    if not counts:
        raise AnnotationError(asked, "no entries", remedy)
    return Lexicon(path.stem, fingerprint.of_file(path), {form: values.most_common(1)[0][0] for form, values in counts.items()})


def identity_words(language: str) -> Lexicon | None:
    """The embedded lexicon of words that name a group of people (religion, nation, people, gender); None where a language has none."""
    path = Path(__file__).parent / "lexicons" / f"identity-{language}.tsv"
    return read_lexicon(path) if path.is_file() else None
