# Two commands are all it takes: `make demo` and `make test`. Both set up .venv first.
# Another Python: make demo PY=python3.12. Another torch build: see README, "CPU or GPU".

PY ?= python3
BIN := .venv/bin
READY := .venv/.ready
INSTALL := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check
# One thread a process: the tests share the cores among processes. They start hundreds of them: what Python compiles is kept.
CALM := PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false HF_HUB_OFFLINE=1

# Shapes are checked at each call in the tests of the rules and of models; everywhere else that would double the time.
SHAPED := tests/rules tests/models
SHAPES := --jaxtyping-packages=workbench.rules,workbench.attribution,workbench.models,beartype.beartype

.PHONY: demo test lint format clean help
.DEFAULT_GOAL := help

help:  ## these lines
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:[^#]*## */\t/' | expand -t 10

demo: $(READY)  ## explain the embedded Bengali posts: words, figures, store and report
	$(BIN)/workbench demo

test: lint  ## style, types, layers and all tests
	$(CALM) $(BIN)/python -m pytest -n 2 --dist worksteal $(SHAPES) $(SHAPED)
	$(CALM) $(BIN)/python -m pytest -n 2 --dist worksteal $(SHAPED:%=--ignore=%)

lint: $(READY)  ## style, types and layers alone
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)  ## let ruff write what it can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove the environment and every cache
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml constraints.txt
	@$(PY) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PY=python3.11")'
	$(PY) -m venv .venv
	@echo "Installing into .venv (once, a few minutes) ..."
	$(INSTALL) -e '.[dev,minilm,ray]'
	touch $@
