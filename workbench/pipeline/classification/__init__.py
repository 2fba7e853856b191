"""Classifiers: which label they give a text, and what of the text speaks for it."""
