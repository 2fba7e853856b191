"""Word translations English–German, –French and –Spanish, learnt from the same parallel texts by IBM model 1 in both directions."""

from __future__ import annotations

import re
import time
from collections import Counter
from pathlib import Path

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from pipelines.training.multilingual_encoder.alignment import translation_table
from pipelines.training.multilingual_encoder.rows import Row, words
from pipelines.training.multilingual_encoder.sources import SOURCES, collect

OTHERS = ("de", "fr", "es")
SELDOM, LONGEST = 3, 50
"""Words of fewer sentences are left out, as are sentence pairs with more words."""
BEST, GOOD = 0.1, 0.25
"""Least probability in both directions: of a pair each of which is the other's most probable, and of any other pair."""

Entry = tuple[str, str, float]


def entries(rows: list[Row], language: str) -> list[Entry]:
    """Pairs of words (English, other) with the geometric mean of their probabilities in both directions, best first.

    Left out: equal words, and names, that is words which more than half of their sentence pairs have on both sides.
    """
    pairs = [(words(row.texts["en"], "en"), words(row.texts[language], language)) for row in rows if language in row.texts]
    pairs = [(english, other) for english, other in pairs if 0 < max(len(english), len(other)) <= LONGEST and english and other]
    left, right = (Counter(word for pair in pairs for word in set(pair[side])) for side in (0, 1))
    copied = Counter(word for english, other in pairs for word in set(english) & set(other))
    ids = [{word: place for place, word in enumerate(sorted(count))} for count in (left, right)]
    coded = [([ids[0][word] for word in english], [ids[1][word] for word in other]) for english, other in pairs]
    sizes = (len(left), len(right))
    there = translation_table(coded, sizes, iterations=10)[: sizes[0]]
    back = translation_table([(other, english) for english, other in coded], (sizes[1], sizes[0]), iterations=10)[: sizes[1]].T.tocsr()
    favourite = np.asarray(there.argmax(axis=1)).ravel()
    returned = np.asarray(back.argmax(axis=0)).ravel()
    known = list(ids[0]), list(ids[1])
    found = []
    both = there.minimum(back).tocoo()
    for source, target, least in zip(both.row, both.col, both.data, strict=True):
        english, other = known[0][source], known[1][target]
        mutual = favourite[source] == target and returned[target] == source
        if least < (BEST if mutual else GOOD) or min(left[english], right[other]) < SELDOM:
            continue
        name = 2 * copied[english] > left[english] or 2 * copied[other] > right[other]
        if english != other and not name and english.isalpha() and other.isalpha():
            found.append((english, other, float(np.sqrt(there[source, target] * back[source, target]))))
    return sorted(found, key=lambda entry: (-round(entry[2], 3), entry[0], entry[1]))


def parallel(mirror: Path, seed: int) -> list[Row]:
    """Rows of all sources with more than one language, whole."""
    return collect(mirror, tuple(source for source in SOURCES if len(source.languages) > 1), seed, limit=200_000)


def write(found: list[Entry], path: Path) -> None:
    """Write English word, other word and mean probability, a line each."""
    path.write_text("".join(f"{english}\t{other}\t{value:.3f}\n" for english, other, value in found), encoding="utf-8")


def against_gold(found: list[Entry], folder: Path) -> dict[str, float]:
    """Precision over words that stand once on each side, and recall of sure links between different strings, on the aligned Hansards."""
    known = {(english, french) for english, french, _ in found}
    proposed = right = links = met = 0
    texts = (folder / "enfr.src-tgt").read_text(encoding="utf-8").lower().splitlines()
    for text, line in zip(texts, (folder / "enfr.gold").read_text(encoding="utf-8").splitlines(), strict=True):
        english, french = (side.split() for side in text.split(" ||| "))
        gold = {(int(one) - 1, int(other) - 1): sure == "-" for one, sure, other in re.findall(r"(\d+)([-p])(\d+)", line)}
        for left, one in enumerate(english):
            for right_place, other in enumerate(french):
                linked = gold.get((left, right_place))
                if (one, other) in known and english.count(one) == french.count(other) == 1:
                    proposed += 1
                    right += linked is not None
                if linked and one != other:
                    links += 1
                    met += (one, other) in known
    return {"proposed": proposed, "precision": right / proposed, "links": links, "recall": met / links}


def make(mirror: Path, folder: Path, seed: int) -> dict[str, tuple[int, int]]:
    """Writes the three lexicons and their card; gives the counts of word pairs and of sentence pairs."""
    rows = parallel(mirror, seed)
    folder.mkdir(parents=True, exist_ok=True)
    counts, gold = {}, None
    for language in OTHERS:
        found = entries(rows, language)
        write(found, folder / f"en-{language}.tsv")
        counts[f"en-{language}"] = (len(found), sum(language in row.texts for row in rows))
        if language == "fr":
            gold = against_gold(found, mirror / "nmt" / "hansards_align")
    environment = Environment(
        loader=PackageLoader("pipelines.training.multilingual_encoder", "."),
        undefined=StrictUndefined, trim_blocks=True, autoescape=False, keep_trailing_newline=True,
    )  # fmt: skip
    sources = [source for source in SOURCES if len(source.languages) > 1]
    facts = {"counts": counts, "seed": seed, "seconds": round(time.process_time()), "best": BEST, "good": GOOD, "seldom": SELDOM}
    card = environment.get_template("lexicon.md.jinja").render(**facts, sources=sources, gold=gold)
    (folder / "CARD.md").write_text(card, encoding="utf-8")
    return counts
