"""Mutation testing of the rules with mutmut: are the tests hurt by every small change of a rule? Not part of the gate; see the last lines.

`pip install mutmut` beside the project's environment, then `python -m tests.rules.mutate FOLDER` (the checkout's root as working
directory): copies what is needed into FOLDER, runs mutmut there (about half an hour on one core) and prints the rate and the survivors.
Only rule files are mutated, and only tests of rules run, those that reach the changed function; each until the first that fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
RULES = (
    "activation", "softmax", "attention", "biased", "tilted", "product", "alpha_beta", "linear", "normalization", "recorder", "readings",
    "known", "answers",
)  # fmt: skip
TESTS = (
    "test_linear_oracle", "test_recorder", "test_tilted", "test_product_oracle", "test_normalization_oracle", "test_softmax_oracle",
    "test_attention_rule", "test_activation_oracle", "test_scan_oracle", "test_rules_by_hand",
    "test_known", "test_refusal", "test_answers",
)  # fmt: skip
#: Words of error messages and casts of types are no rules.
SETTINGS = f"""
[tool.mutmut]
source_paths = ["workbench"]
only_mutate = {[f"workbench/rules/{name}.py" for name in RULES]}
pytest_add_cli_args_test_selection = {[f"tests/rules/{name}.py" for name in TESTS]}
pytest_add_cli_args = ["-p", "no:cacheprovider", "-p", "no:xdist"]
do_not_mutate_patterns = ["PropagationError\\\\(", "^ *\\"", "^ *f\\"", "found ="]
also_copy = ["tests", "workbench", "corpora", "pipelines"]
timeout_multiplier = 8.0
timeout_constant = 20.0
"""


def prepare(folder: Path) -> None:
    """The checkout's code and tests in a folder of their own, with mutmut's settings."""
    for name in ("workbench", "tests"):
        shutil.rmtree(folder / name, ignore_errors=True)
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "data", "*.safetensors", "embedded"))
    (folder / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text() + SETTINGS)


def figures(folder: Path) -> str:
    """Rate of killed mutants by file, and the names of those that survived."""
    lines = subprocess.run(
        ["mutmut", "results", "--all", "true"], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    verdicts = dict(line.strip().split(": ", 1) for line in lines if ": " in line)
    killed: Counter[str] = Counter()
    counted: Counter[str] = Counter()
    for name, verdict in verdicts.items():
        counted[name.split(".")[2]] += 1
        killed[name.split(".")[2]] += verdict in ("killed", "timeout", "segfault")
    table = [f"{name}: {killed[name]} of {counted[name]} killed ({killed[name] / counted[name]:.0%})" for name in counted]
    whole = f"together: {killed.total()} of {counted.total()} ({killed.total() / max(counted.total(), 1):.1%})"
    return "\n".join([*table, whole, *(f"{verdict}: {name}" for name, verdict in verdicts.items() if verdict not in ("killed", "timeout"))])


def main(folder: Path) -> None:
    """Runs mutmut and prints the figures."""
    folder.mkdir(parents=True, exist_ok=True)
    prepare(folder)
    subprocess.run(["mutmut", "run", "--max-children", "1"], cwd=folder, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=False)
    print(figures(folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
