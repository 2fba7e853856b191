"""Texts to look at a model with, where a person brings none: short, harmless, in English and Bengali."""

TEXTS = (
    "The river was high this morning, so the ferry left an hour late.",
    "I did not like the film at first, but its last scene stayed with me for days.",
    "সকালে নদীর জল অনেক বেড়ে গিয়েছিল, তাই নৌকা ছাড়তে এক ঘণ্টা দেরি হলো।",
    "বইটা প্রথমে ভালো লাগেনি, কিন্তু শেষ অধ্যায়টা পড়ে মন ভরে গেছে।",
)
