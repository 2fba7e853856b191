"""Corpora start without the heavy libraries."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_corpora_need_no_torch_and_no_spacy(repository: Path) -> None:
    heavy = "{'torch', 'transformers', 'spacy', 'duckdb', 'pyarrow'}"
    code = f"import sys, workbench.corpora, workbench.graphemes; print(sorted({heavy} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=repository)
    assert answer.stdout.strip() == "[]"
