"""The tag set of the corpora (IL-POST for Bangla, Microsoft Research India) and what it becomes: universal parts of speech and features."""

from __future__ import annotations

from typing import Any

#: Part of speech for each tag; the exceptions below look at the word or at its neighbour.
UNIVERSAL = {
    "NC": "NOUN",  # common noun
    "NP": "PROPN",  # proper noun
    "NV": "NOUN",  # verbal noun: করা, দেখা. UD treats the Bengali verbal noun as a noun (VerbForm=Vnoun)
    "NST": "ADV",  # noun of space and time: আগে, উপরে; ADP after a genitive (নদীর উপরে), see RULES
    "VM": "VERB",  # main verb; নয়, নেই and the copula হয় are main verbs here too
    "VAUX": "AUX",  # second verb of a compound: করতে পারে, হয়ে যায়
    "VA": "AUX",  # the same by another name, in the NLTR copy
    "LC": "VERB",  # conditional participle: হলে, করলে
    "LV": "VERB",  # verbal participle: দেখতে দেখতে
    "JJ": "ADJ",  # adjective
    "JQ": "DET",  # quantifier: সব, কিছু, একটি; numerals, ordinals and degree words see RULES
    "AMN": "ADV",  # adverb of manner
    "ALC": "ADV",  # adverb of place and time: তখন, এখানে
    "PPR": "PRON",  # personal pronoun
    "PRF": "PRON",  # reflexive
    "PRC": "PRON",  # reciprocal
    "PRL": "PRON",  # relative
    "PWH": "PRON",  # interrogative; কেন, কোথায় and কীভাবে see RULES
    "DAB": "DET",  # demonstrative
    "DRL": "DET",  # relative demonstrative
    "DWH": "DET",  # interrogative demonstrative
    "PP": "ADP",  # postposition
    "CCD": "CCONJ",  # coordinating conjunction
    "CSB": "SCONJ",  # subordinating conjunction
    "CCL": "PART",  # classifier particle and list closer: ইত্যাদি, প্রভৃতি
    "CX": "PART",  # other particle: না, তো, কি
    "CIN": "INTJ",  # interjection
    "PU": "PUNCT",  # punctuation
    "RDS": "SYM",  # residual, symbol; brackets are punctuation, see RULES
    "RDF": "X",  # residual, foreign word
    "RDX": "X",  # residual, other
}

#: Slips of the corpora, each with a handful of tokens.
SLIPS = {"VA": "VAUX", "NCgen": "NC", "CSD": "CSB"}

_ORDINALS = ["প্রথম", "দ্বিতীয়", "তৃতীয়", "চতুর্থ", "পঞ্চম", "ষষ্ঠ", "সপ্তম", "অষ্টম", "নবম", "দশম", "শেষ"]
_DEGREES = ["খুব", "বেশ", "অতি", "অত্যন্ত", "এত", "অত", "যত", "তত", "আরও", "আরো", "প্রায়", "একটু", "বড়ই", "ভীষণ", "নিতান্ত"]
_QUESTIONS = ["কেন", "কোথায়", "কখন", "কীভাবে", "কিভাবে", "কেমন", "কোথা"]
_NOMINAL = ["NC", "NP", "NV", "PPR", "PRF", "PRL", "PWH", "RDF"]

#: (pattern of spaCy's Matcher, index of the word, part of speech), applied in order after UNIVERSAL; later rules win.
RULES: list[tuple[list[dict[str, Any]], int, str]] = [
    ([{"TAG": {"IN": _NOMINAL}, "NORM": {"REGEX": "র$"}}, {"TAG": "NST"}], 1, "ADP"),
    ([{"TAG": "JQ", "LIKE_NUM": True}], 0, "NUM"),
    ([{"TAG": "JQ", "NORM": {"IN": _ORDINALS}}], 0, "ADJ"),
    ([{"TAG": "JQ", "NORM": {"IN": _DEGREES}}], 0, "ADV"),
    ([{"TAG": "PWH", "NORM": {"IN": _QUESTIONS}}], 0, "ADV"),
    # What a sign is can be seen, whatever the tagger (which never saw an emoji or an address) says.
    ([{"NORM": {"REGEX": r"^[0-9০-৯][0-9০-৯.,:/%-]*$"}}], 0, "NUM"),
    ([{"NORM": {"REGEX": r"^[^\w\s\u0980-\u09ff]+$"}}], 0, "SYM"),
    ([{"NORM": {"REGEX": r"^([!-#%-*,-/:;?@\[-\]_{}।॥|\u00ab\u00bb]|[\u2010-\u2027\u2030-\u205e])+$"}}], 0, "PUNCT"),
    ([{"NORM": {"REGEX": r"^(https?://|www\.|\S+@\S+\.)"}}], 0, "X"),
    ([{"NORM": {"REGEX": r"^@\w"}}], 0, "PROPN"),
]

_NUMBER = {"sg": "Number=Sing", "du": "Number=Dual", "pl": "Number=Plur"}
_CASE = {"gen": "Case=Gen", "loc": "Case=Loc", "acc": "Case=Acc"}
_PERSON = {"1": "Person=1", "2": "Person=2", "3": "Person=3"}
_TENSE = {"prs": "Tense=Pres", "pst": "Tense=Past", "fut": "Tense=Fut"}
_ASPECT = {"pft": "Aspect=Perf", "prg": "Aspect=Prog", "hab": "Aspect=Hab"}  # sim(ple) has no value
_MOOD = {"dcl": "Mood=Ind", "imp": "Mood=Imp", "sbj": "Mood=Sub", "hab": "Aspect=Hab"}
_FORM = {"fin": "VerbForm=Fin", "nfn": "VerbForm=Conv", "ifn": "VerbForm=Inf"}
_NEGATIVE = {"y": "Polarity=Neg"}
_POLITE = {"y": "Polite=Form"}
_EMPTY: dict[str, str] = {}
_NOUN = [_NUMBER, _CASE]
_VERB = [_PERSON, _TENSE, _ASPECT, _MOOD, _FORM, _EMPTY, _NEGATIVE, _POLITE]

#: What the attributes after a tag stand for, by position.
_ATTRIBUTES: dict[str, list[dict[str, str]]] = {
    **dict.fromkeys(("NC", "NP", "PRL", "PRF", "PWH"), _NOUN),
    **dict.fromkeys(("VM", "VAUX", "VA"), _VERB),
    "PPR": [_NUMBER, _PERSON, _CASE, _EMPTY, _EMPTY, _EMPTY, _POLITE],
    **{tag: [_CASE] for tag in ("NV", "NST")},
}


def features(tag: str, attributes: str) -> str:
    """Universal features (`Case=Gen|Number=Plur`) of a tag's attributes (`pl.gen.n.n`), `_` where there are none."""
    found = {values[value] for values, value in zip(_ATTRIBUTES.get(tag, []), attributes.split("."), strict=False) if value in values}
    if tag == "NV":
        found.add("VerbForm=Vnoun")
    return "|".join(sorted(found)) or "_"
