"""Training examples: what each corpus may teach, and the ways in which posts are written that edited text is not."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from sources import Sentence, Token, distinct, lemmas, slashed, tagged
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from tagset import SLIPS, UNIVERSAL, features

from workbench.annotation import bengali
from workbench.annotation.lexicon import key

IITKGP = "pos_bnlp/train_data_IITKGP.tsv"
CRBLP = "pos_bnlp/pos_tag_data_bangla_tagged_corpus.tsv"
NLTR = "pos_nltr/nltr"
ISI = "lemma_isi"
BANEL = "lemma_pos_banel/banel.csv"

#: Attested second letters for a first one: the spelling mistakes that posts are full of and edited text is not.
_CONFUSED = {"ি": "ী", "ী": "ি", "ু": "ূ", "ূ": "ু", "ণ": "ন", "ন": "ণ", "শ": "স", "স": "শ", "ষ": "শ", "জ": "য", "ঙ": "ং"} | {
    "ঁ": "",
    "ো": "",
    "ৎ": "ত",
}
_NUKTA = {"\u09dc": "\u09a1\u09bc", "\u09dd": "\u09a2\u09bc", "\u09df": "\u09af\u09bc"}


def part_of_speech(mirror: Path) -> list[Sentence]:
    """The IIT Kharagpur corpus, one of each sentence, with the attributes of the annotated copy (NLTR) where the words are the same."""
    known = {sentence.key: sentence for sentence in slashed(mirror / NLTR, "nltr")}
    sentences = []
    for sentence in distinct(tagged(mirror / IITKGP, "iitkgp")):
        copy = known.get(sentence.key)
        same = copy is not None and [token.form for token in copy.tokens] == [token.form for token in sentence.tokens]
        attributes = [token.features for token in copy.tokens] if copy is not None and same else [None] * len(sentence.tokens)
        sentences.append(Sentence("iitkgp", tuple(map(_clean, sentence.tokens, attributes))))
    return sentences


def _clean(token: Token, attributes: str | None) -> Token:
    tag = SLIPS.get(token.tag or "", token.tag)
    tag = tag if tag in UNIVERSAL else None
    return Token(token.form, tag, features(tag, attributes) if tag and attributes is not None else None)


def compatible(mirror: Path, sentences: Sequence[Sentence]) -> list[Sentence]:
    """Sentences of the CRBLP corpus (news) with the tags on which it agrees with `sentences`; its others are left open.

    It follows another scheme: এই is a noun, না an adverb of place, every non-finite verb an auxiliary. What it adds are names and nouns.
    """
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for token in (token for sentence in sentences for token in sentence.tokens if token.tag):
        seen[bengali.norm(token.form)][token.tag or ""] += 1
    usual = {form: tags.most_common(1)[0][0] for form, tags in seen.items()}

    def keep(token: Token) -> Token:
        there = usual.get(bengali.norm(token.form))
        new = there is None and token.tag in {"NP", "NC", "VM", "JJ", "JQ"}
        agreed = new or there == token.tag or (token.tag == "NP" and there == "NC")
        return Token(token.form, token.tag if agreed else None)

    return [Sentence("crblp", tuple(map(keep, sentence.tokens))) for sentence in distinct(tagged(mirror / CRBLP, "crblp"))]


def lemmatised(mirror: Path, part: str) -> list[Sentence]:
    """Sentences of one published part (train, dev, test) of the ISI lemma data."""
    return lemmas(mirror / ISI / f"{part}.txt", "isi")


def listed(mirror: Path) -> list[Sentence]:
    """Word and lemma pairs of the BaNeL list, each a sentence of its own."""
    lines = (mirror / BANEL).read_text(encoding="utf-8-sig").splitlines()[1:]
    pairs = [line.split(",") for line in lines if line.count(",") == 2]
    return [Sentence("banel", (Token(form.strip(), lemma=lemma.strip()),)) for form, lemma, _ in pairs if form.strip() and lemma.strip()]


def as_example(nlp: Language, sentence: Sequence[Token], *, learn: bool = False) -> Example:
    """A training example: gold words, with only what the corpus says set.

    spaCy reads features that are not set as "none". To `learn`, such words get a part of speech, which the morphologizer has no label for
    and skips.
    """
    words = [token.form for token in sentence]
    reference = Doc(
        nlp.vocab,
        words=words,
        pos=["X" if learn and token.features is None else "" for token in sentence],
        tags=[token.tag or "" for token in sentence],
        morphs=[token.features or "" for token in sentence],
        lemmas=[key(token.lemma or "") for token in sentence],
    )
    return Example(Doc(nlp.vocab, words=words), reference)


def as_posts_are(tokens: Sequence[Token], chance: random.Random) -> list[Token]:
    """One sentence as a post might have it: without the last danda, with fewer commas, misspelt here and there, nukta either way."""
    varied = list(tokens)
    if len(varied) > 1 and varied[-1].tag == "PU" and chance.random() < 0.4:
        varied.pop()
    if len(varied) > 2 and chance.random() < 0.3:
        varied = [token for token in varied if token.form not in {",", '"', "'", "`", "-"}] or varied
    decomposed = chance.random() < 0.5
    return [_misspell(token, decomposed, chance) for token in varied]


def _misspell(token: Token, decomposed: bool, chance: random.Random) -> Token:
    form, lemma = token.form, token.lemma
    if lemma is None and len(form) > 3 and chance.random() < 0.04:  # a lemma is learnt from the spelling, so those words stay as they are
        place = chance.randrange(1, len(form))
        form = form[:place] + _CONFUSED.get(form[place], form[place]) + form[place + 1 :]
    if lemma is None and chance.random() < 0.01:
        form = form + form[-1] * chance.randint(1, 3)  # নাআআ
    return Token(_encode(form, decomposed), token.tag, token.features, _encode(lemma, decomposed) if lemma else None)


def _encode(form: str, decomposed: bool) -> str:
    for one, two in _NUKTA.items():
        form = form.replace(one, two) if decomposed else form.replace(two, one)
    return form
