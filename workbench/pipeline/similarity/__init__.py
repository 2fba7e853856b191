"""Sentence encoders: how similar they find two texts, and which parts of both carry it."""
