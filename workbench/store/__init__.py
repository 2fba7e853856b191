"""KEEP: the relevance store, one DuckDB file that only one hand writes."""

from workbench.store.content import content_hash
from workbench.store.store import Store

__all__ = ["Store", "content_hash"]
