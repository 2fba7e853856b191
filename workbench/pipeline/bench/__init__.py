"""What relevance costs: ratios of paired runs in one process, beside the floor (what forward passes alone cost)."""

from workbench.pipeline.bench.clock import paired

__all__ = ["paired"]
