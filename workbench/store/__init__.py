"""KEEP: the relevance store, one DuckDB file that only one hand writes."""

from workbench.store.content import content_hash
from workbench.store.export import export
from workbench.store.store import Store
from workbench.store.verify import Finding, Findings, verify

__all__ = ["Finding", "Findings", "Store", "content_hash", "export", "verify"]
