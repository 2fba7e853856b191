"""The training of the embedded translation models: small Marian models from open parallel text, at several levels of supervision."""
