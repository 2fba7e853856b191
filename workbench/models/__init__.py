"""Models as released: loading, encoding, deciding together."""
