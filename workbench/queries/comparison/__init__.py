"""Two runs, models, composites or tokenizers on the same texts: `compare(first, second)`; `side` says which they are, `answer` shows it."""

from workbench.queries.comparison.answers import answer
from workbench.queries.comparison.compare import MEASURES, Comparison, compare
from workbench.queries.comparison.side import Side, parsed, side

__all__ = ["MEASURES", "Comparison", "Side", "answer", "compare", "parsed", "side"]
