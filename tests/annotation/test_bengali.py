"""Words of Bengali text: a table of what is tricky, and what holds for every text."""

import unicodedata
from itertools import pairwise

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.annotation import bengali

TABLE = [
    ("মহারানী", ["মহারানী"]),
    ("বাচ্চা সংগঠন", ["বাচ্চা", "সংগঠন"]),
    ("শুয়োরের ক্ষমতা", ["শুয়োরের", "ক্ষমতা"]),
    ("বাংলাদেশ।", ["বাংলাদেশ", "।"]),
    ("শেষ॥", ["শেষ", "॥"]),
    ("শেষ৷ পরে", ["শেষ", "৷", "পরে"]),
    ("বুঝি || না |", ["বুঝি", "||", "না", "|"]),
    ("না।।। কি!!!??", ["না", "।।।", "কি", "!!!", "??"]),
    ("বি.এন.পি", ["বি.এন.পি"]),
    ("এম.পি হলেন", ["এম.পি", "হলেন"]),
    ("হতো.তাহার", ["হতো", ".", "তাহার"]),
    ("ডা. করিম", ["ডা.", "করিম"]),
    ("৫ কি.মি. দূরে", ["৫", "কি.মি.", "দূরে"]),
    ("দখল...", ["দখল", "..."]),
    ("কস...ঘর", ["কস", "...", "ঘর"]),
    ("২৫শে মার্চ", ["২৫শে", "মার্চ"]),
    ("১,২৫০.৫০ টাকা", ["১,২৫০.৫০", "টাকা"]),
    ("৫০% ৳৫০০", ["৫০", "%", "৳", "৫০০"]),
    ("১০:৩০টায়", ["১০:৩০টায়"]),
    ("১২/০৩/২০২০", ["১২/০৩/২০২০"]),
    ("১৯৭১-এর", ["১৯৭১-এর"]),
    ("এইডস-এর", ["এইডস-এর"]),
    ("বিএনপি'র দু’জন", ["বিএনপি'র", "দু’জন"]),
    ("'শব্দ' “হায়”", ["'", "শব্দ", "'", "“", "হায়", "”"]),
    ("জামায়াত-শিবির", ["জামায়াত", "-", "শিবির"]),
    ("হ্যাঁ/না", ["হ্যাঁ", "/", "না"]),
    ("👨‍👩‍👧😂😂", ["👨‍👩‍👧", "😂", "😂"]),
    ("👍🏽🇧🇩1️⃣", ["👍🏽", "🇧🇩", "1️⃣"]),
    ("হাহা :) ;-(", ["হাহা", ":)", ";-("]),
    ("দেখুন https://a.com/ক?y=1।", ["দেখুন", "https://a.com/ক?y=1", "।"]),
    ("www.prothomalo.com, bdnews24.com", ["www.prothomalo.com", ",", "bdnews24.com"]),
    ("লিখুন a.b@c.com", ["লিখুন", "a.b@c.com"]),
    ("@user: @ব্যবহারকারী", ["@user", ":", "@ব্যবহারকারী"]),
    ("#হ্যাশট্যাগ #BNP_২০২০!", ["#হ্যাশট্যাগ", "#BNP_২০২০", "!"]),
    ("mixed English লেখা Facebookএ", ["mixed", "English", "লেখা", "Facebookএ"]),
    ("র‍্যাব অর্‌থ", ["র‍্যাব", "অর্‌থ"]),
    ("কি \u09be", ["কি", "\u09be"]),
    ("ক\u200bখ", ["ক", "\u200b", "খ"]),
    ("গাঁরজ¦লা", ["গাঁরজ", "¦", "লা"]),
    ("", []),
]


@pytest.mark.parametrize(("text", "words"), TABLE)
def test_tricky_texts(text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in bengali.spans(text)] == words


LETTERS = "কখগঙচজটডণতদনপবমযরলশষসহড়ঢ়য়ৎংঃঁািীুূৃেৈোৌ়্\u200c\u200d\u200b।৷॥০৫২ অ আএ,.-'’\"/#@_|!?ab:1😂👨👧🏽🇧ℹ\u0d4e\n\t\u0600\ufe0f\u20e3"
TEXTS = st.one_of(st.text(alphabet=st.sampled_from(LETTERS), max_size=40), st.text(max_size=40))


@settings(max_examples=600, deadline=None)
@given(TEXTS)
def test_words_cover_all_but_white_space_and_keep_clusters_whole(text: str) -> None:
    spans = bengali.spans(text)
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    covered = {place for start, end in spans for place in range(start, end)}
    assert all(place in covered or character.isspace() for place, character in enumerate(text))
    edges = {edge for span in spans for edge in span}
    for cluster in regex.finditer(r"\X", text):
        if not cluster[0][0].isspace():
            assert not any(cluster.start() < edge < cluster.end() for edge in edges)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_the_norm_does_not_depend_on_encoding(text: str) -> None:
    norms = {bengali.norm(unicodedata.normalize(form, text)) for form in ("NFC", "NFD")}
    assert len(norms) == 1
    assert bengali.norm(next(iter(norms))) in norms


def test_nukta_letters_and_joiners_do_not_make_other_words() -> None:
    assert bengali.norm("শুয\u09bcোর") == bengali.norm("শু\u09dfোর")
    assert bengali.norm("র\u200d্যাব") == bengali.norm("র্যাব")
    assert bengali.norm("অামি") == bengali.norm("আমি")
    assert bengali.norm("৷") == "।"
    assert bengali.norm("দিন") != bengali.norm("দীন")


def test_a_long_text_takes_linear_time() -> None:
    text = "বি.এন.পি ২৫শে - ক্ষমতা।" * 20_000
    assert len(bengali.spans(text)) == 100_000
    assert len(bengali.spans("www." + "." * 200_000)) > 0
    assert len(bengali.spans("ক" * 200_000)) == 1
