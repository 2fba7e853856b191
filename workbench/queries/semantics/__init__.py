"""What relevance is about: phrases of salient words, and groups of terms that mean the like."""
