r"""Words of Bengali text: where they begin and end, and which spellings are the same word.

Everything is built from extended grapheme clusters (`\X`, UAX 29), never from `\w`: Python's `\w` knows neither vowel signs nor hasanta
and tears মহারানী into মহ, র, ন. Each alternative below takes whole clusters, so no word can begin or end inside a conjunct, a joiner
sequence or an emoji. The one exception is a cluster that Unicode starts with white space (a vowel sign typed after a blank): the sign is a
word, the blank is not.
"""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache

import regex

#: Named in fingerprints: raise it when a change below moves a boundary or changes a norm.
RULES = "workbench.bengali.v1"

# A word starts with a letter, a mark (stray vowel signs), a number, a joiner or "_". U+09F7 is a numerator by name and a danda by use.
_START = r"[[\p{L}\p{M}\p{N}_\u200c\u200d]--[\u09f7]]"
_PART = rf"(?:(?={_START})\X)"
_LETTER = r"(?:(?=\p{L})\X)"
_DIGIT = r"(?:(?=\p{Nd})\X)"
_END = rf"(?!{_START}|\p{{GCB=Extend}}|\p{{GCB=SpacingMark}})"  # neither letter nor mark follows
_CLOSED = r"(?![\p{M}\p{GCB=Extend}\p{GCB=SpacingMark}\p{GCB=ZWJ}])"
_DOT = r"(?:(?=\.)\X)"

# Case endings and particles written after a hyphen or apostrophe stay on their word: ১৯৭১-এর, বিএনপি'র.
_CLITICS = "এর|এ|র|রা|তে|কে|ই|ও|টি|টা|টির|টার|দের|শে|লা|ঠা|য়|য়"  # the last twice: precomposed and with nukta
_CLITIC = rf"(?:(?=[-‐‑])\X(?:{_CLITICS}){_END})"
_INSIDE = rf"(?:(?=['’\u00ad\u2060\ufeff])\X{_PART}+)"  # ব'লে, দু'জন; soft hyphen and word joiner do not end a word

# বি.এন.পি, এম.পি; but হতো.তাহার is two words whose full stop lost its blank
_INITIALS = rf"{_LETTER}{{1,3}}(?:\.{_LETTER}{{1,3}}){{2,}}|{_LETTER}\.{_LETTER}{{1,2}}|{_LETTER}{{2}}\.{_LETTER}"

_TITLES = "ডা|ড|মো|মু|প্রা|লি|কি.মি|সে.মি|মি.মি|বি.দ্র|খ্রি|খৃ|রা|সা|Dr|Mr|Mrs|Md"
_SITES = "com|net|org|info|gov|edu|bd|in|io|tv|co|me|ly"

_ALTERNATIVES = (
    r"(?=[0-9#*]\ufe0f?\u20e3)\X",  # keycaps
    r"(?i:https?://|www\.)(?:(?!\s)\X)*(?=[\p{L}\p{N}/])\X",  # a web address ends in a letter, a number or a slash
    rf"[A-Za-z0-9._%+-]{{1,64}}@(?:[A-Za-z0-9-]{{1,63}}\.){{1,8}}[A-Za-z]{{2,}}{_END}",
    rf"(?:[A-Za-z0-9-]{{1,63}}\.){{1,8}}(?:{_SITES})(?:/(?:(?!\s)\X)*(?=[\p{{L}}\p{{N}}/])\X)?{_END}",
    rf"@{_PART}(?:{_PART}|{_DOT}(?={_START}))*",
    rf"#{_PART}+",
    r"(?=[\p{Extended_Pictographic}\p{RI}--\p{L}])\X",  # one emoji with its joiners, skin tone, flag
    r"[:;=]['-]?[)(\]\[DPpOo*|]+(?=\s|$)",  # emoticons
    rf"(?:{_TITLES.replace('.', r'[.]')}){_DOT}(?=\s)",
    rf"{_DIGIT}{{1,4}}(?:/{_DIGIT}{{1,2}}/{_DIGIT}{{2,4}}){_END}",  # dates
    rf"{_DIGIT}+(?:[.,:]{_DIGIT}+)*{_PART}*{_CLITIC}?",  # ১২,৫০০ ২৫শে ১০:৩০
    rf"(?:{_INITIALS}){_INSIDE}?{_END}{_CLITIC}?",
    rf"{_PART}+{_INSIDE}*{_CLITIC}?",
    rf"(?P<sign>(?=[\p{{P}}\p{{S}}\u09f7])\X)(?:(?P=sign){_CLOSED})*",  # a run of one sign: ... !!! ।।
    r"(?!\s)\X",  # whatever is left, one cluster at a time
)
_SAME = str.maketrans(
    {"\u09f7": "।", "‘": "'", "’": "'", "`": "'", "“": '"', "”": '"'} | dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff", "")
)


def spans(text: str) -> list[tuple[int, int]]:
    """Spans of the words and signs of a text, in code points (end exclusive), in order; together they cover all but white space.

    Clitics stay on their word (২৫শে, বিএনপি'র, ১৯৭১-এর); a hyphen or slash between two words is a word of its own.
    """
    return [match.span() for match in _word().finditer(text)]


@cache
def _word() -> regex.Pattern[str]:
    """All alternatives; they take a tenth of a second to compile, which a command that finds nothing to do need not wait for."""
    return regex.compile("|".join(_ALTERNATIVES), flags=regex.V1)


@lru_cache(maxsize=1 << 16)
def norm(form: str) -> str:
    """The spelling under which equal words meet: NFC (one form for each nukta letter), no joiners, lower case, one danda, straight quotes.

    `ৎ` and hasanta are left alone, and so are spelling variants (ি for ী): those are other words to a reader.
    """
    return unicodedata.normalize("NFC", form.translate(_SAME).replace("অা", "আ")).lower()


def visible(form: str) -> bool:
    """Whether a form has anything to see: not only white space, controls and format characters (zero-width space, byte-order mark)."""
    return any(not character.isspace() and unicodedata.category(character) not in ("Cc", "Cf") for character in form)
