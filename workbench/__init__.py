"""What a language model relies on, across a whole corpus: AttnLRP and BiLRP relevance in DuckDB."""
