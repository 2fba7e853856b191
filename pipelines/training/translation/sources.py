"""The parallel text by collection: what it is, whose it is, under which licence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """One collection of parallel text."""

    title: str
    licence: str


SOURCES = {
    "multi30k": Source(
        "Multi30k, task 1, training part: captions of Flickr30k pictures in English, translated into French by people "
        "(Elliott et al. 2016 and 2017; github.com/multi30k/dataset, commit a3d2e0d)",
        "no licence file; the captions are given out for non-commercial research and education",
    ),
    "tatoeba": Source("Tatoeba sentence pairs, French and English (manythings.org, 7 April 2019; tatoeba.org)", "CC BY 2.0 FR"),
    "testament": Source(
        "the New Testament, verse by verse: Gujarati (github.com/christos-c/bible-corpus, commit 44e5fca) and English, the King James "
        "Version (github.com/aruljohn/Bible-kjv, commit a9aa4e5)",
        "CC0; public domain",
    ),
    "government": Source(
        "news of two Kazakh ministries in Kazakh and English, aligned by machine, alignment score of 0.5 or more, in small letters "
        "(github.com/NLP-KazNU/kaz-parallel-corpora_collect_and_clean, commit 7f62644)",
        "CC BY-SA",
    ),
}
"""Sources by the name of the collection."""
