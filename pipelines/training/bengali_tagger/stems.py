"""Words of posts that end as if they had a case ending, and their regular forms: কাফের is no genitive of কাফ. Written for this pipeline."""

from __future__ import annotations

from sources import Sentence, Token

_STEMS = """
কাফের কাফির রাজাকার জানোয়ার শুয়োর শুয়ার শূকর বান্দর বানর কুকুর চাকর ইতর বর্বর গাদ্দার চামার মেথর জোচ্চোর চোর বেকার হারামখোর ঘুষখোর সুদখোর
নেশাখোর গাঁজাখোর নিষ্ঠুর আনসার পীর ফকির মাজার মন্দির ঈশ্বর ইঞ্জিনিয়ার ডাক্তার মাস্টার ঠিকাদার জমিদার দোকানদার সর্দার চৌকিদার মেম্বার স্যার
ক্রিকেটার প্লেয়ার আম্পায়ার বোলার স্টার ব্লগার ইউটিউবার ইউজার জোকার লিডার ক্যাডার ব্রাদার সরকার পরিবার
"""
_ENDINGS = ("", "", "ের", "েরা", "দের", "রা", "কে")  # all the stems end in a consonant; the bare one is the one that is mistaken


def stems() -> list[Sentence]:
    """Forms with their lemma, each a sentence of its own."""
    return [Sentence("stems", (Token(stem + ending, lemma=stem),)) for stem in _STEMS.split() for ending in _ENDINGS]
