"""The words of a small English: enough for subjects, attractors and verbs that must agree; every word form is one token.

Nouns belong to a class (person, animal, thing) that decides which adjectives may follow, and each noun has verbs of its own, so that the
form of a verb depends on which noun its subject is and on its number together.
"""

from __future__ import annotations

START, END, PAD = "<s>", ".", "<pad>"
CLASSES = ("person", "animal", "thing")
SINGULAR, PLURAL = 0, 1

#: (singular, plural) by class.
NOUNS: dict[str, tuple[tuple[str, str], ...]] = {
    "person": (
        ("baker", "bakers"), ("sailor", "sailors"), ("nurse", "nurses"), ("painter", "painters"), ("cousin", "cousins"),
        ("judge", "judges"),
        ("child", "children"), ("woman", "women"), ("guest", "guests"), ("tailor", "tailors"), ("widow", "widows"), ("pilot", "pilots"),
    ),
    "animal": (
        ("goose", "geese"), ("mouse", "mice"), ("horse", "horses"), ("fox", "foxes"), ("owl", "owls"), ("wolf", "wolves"),
        ("goat", "goats"), ("cat", "cats"), ("bear", "bears"), ("crow", "crows"),
    ),
    "thing": (
        ("key", "keys"), ("cabinet", "cabinets"), ("lamp", "lamps"), ("basket", "baskets"), ("window", "windows"), ("letter", "letters"),
        ("shelf", "shelves"), ("boat", "boats"), ("clock", "clocks"), ("bottle", "bottles"), ("ladder", "ladders"), ("knife", "knives"),
    ),
}  # fmt: skip

#: (singular, plural) present tense without an object.
VERBS = (
    ("smiles", "smile"), ("sings", "sing"), ("argues", "argue"), ("waits", "wait"), ("laughs", "laugh"),
    ("sleeps", "sleep"), ("runs", "run"), ("hides", "hide"), ("eats", "eat"), ("howls", "howl"),
    ("shines", "shine"), ("breaks", "break"), ("falls", "fall"), ("rusts", "rust"), ("rattles", "rattle"),
)  # fmt: skip
#: Verbs that any subject can have: (singular, plural); what follows them differs.
BE, HAVE, SEE = ("is", "are"), ("has", "have"), ("sees", "see")
ADJECTIVES: dict[str, tuple[str, ...]] = {
    "person": ("polite", "clever", "cheerful", "nervous", "rich"),
    "animal": ("hungry", "wild", "tame", "fierce", "shy"),
    "thing": ("dusty", "wooden", "empty", "heavy", "cracked"),
}
PREPOSITIONS = ("near", "behind", "beside", "above", "below", "with")
#: Past tense, the same for both numbers: a relative clause gives no second hint at the number of the subject.
PAST = ("saw", "found", "followed", "moved", "touched", "noticed")
#: Determiners that show a number, and the one that does not.
MARKED = (("this", "these"), ("that", "those"), ("a", "two"), ("every", "many"))
NEUTRAL = "the"
GRAMMAR = (NEUTRAL, "which", "and", "there", "not", "very", "often")


def vocabulary() -> tuple[str, ...]:
    """All word forms, each once, in a fixed order; the padding word is first."""
    forms = [PAD, START, END, *GRAMMAR, *PREPOSITIONS, *PAST]
    for pairs in (*NOUNS.values(), VERBS, MARKED, (BE, HAVE, SEE)):
        forms += [form for pair in pairs for form in pair]
    for adjectives in ADJECTIVES.values():
        forms += adjectives
    return tuple(dict.fromkeys(forms))


VOCABULARY = vocabulary()
IDS = {form: index for index, form in enumerate(VOCABULARY)}
