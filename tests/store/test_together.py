"""Writers and readers of one store, all at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from workbench.store import Store
from workbench.store.torture.writers import together


def test_all_rows_arrive_and_refusals_name_the_holder() -> None:
    report = together(writers=3, readers=2, jobs=4)
    assert report.findings == []
    assert report.stored == report.wanted == 12
    assert report.looks > 0
    assert report.passed


def test_no_bar_stands_in_an_answer(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    Store.open(path, "write").close()
    program = (  # begun without a file, as processes that work are: there DuckDB draws a bar on standard output after two seconds
        "import sys; from workbench.store import Store\n"
        "for mode in ('read', 'write'):\n"
        "    with Store.open(sys.argv[1], mode) as store:\n"
        "        print(store.connection.execute(\"SELECT current_setting('enable_progress_bar')\").fetchall())"
    )
    child = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, timeout=60, check=True)
    assert child.stdout.splitlines() == ["[(False,)]"] * 2
