"""Translations: made by each system, explained token by token, and kept with their quality."""
