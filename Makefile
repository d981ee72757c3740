# Everything runs in .venv, which is made when it is missing and brought up to date when the
# compiled sources change. Needs Python >= 3.11 with pip, a C compiler and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
COMPILED := $(wildcard src/_core/*.pyx src/pyunlearn/_core/*.pxd) setup.py pyproject.toml

# Scripts of benchmarks/theory; each draws docs/figures/NAME.png.
THEORY := bound_trials distance epsilon_audit membership_audit release_utility

.PHONY: help demo check test coverage lint bench waiting large deletion-by-m peers quality bench-asv \
  evidence heads build clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/ready  ## learn topics of 20 newsgroups, forget one author, verify
	$(BIN)/python examples/forget_an_author.py

# The laws, the bits, bad input, the store and the pages: the tests that a change most often breaks.
CHECK := tests/test_golden.py tests/test_imports.py tests/test_model.py tests/test_io.py \
  tests/test_formats.py tests/test_readme.py tests/test_refresh.py tests/test_certificate.py \
  tests/test_factor_learner.py tests/test_bad_input.py tests/test_params.py \
  tests/test_records.py tests/test_store_requests.py tests/core

check: $(VENV)/ready-test  ## the tests that matter most, within a minute
	$(BIN)/python -m pytest -q $(CHECK)

test: $(VENV)/ready-test  ## all tests; five to eight minutes on two cores
	$(BIN)/python -m pytest

coverage: $(VENV)/ready-test  ## which lines the package's own tests run
	$(PIP) install "pytest-cov>=5"
	$(BIN)/python -m pytest tests --cov=pyunlearn --cov-report=term

lint: $(VENV)/ready-test  ## ruff, mypy
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: $(VENV)/ready-bench  ## every number beside its aim, from one run; about ten minutes
	$(BIN)/python -m benchmarks.table

# A Python that has another version installed, to be measured beside this one.
OTHER ?=
waiting: $(VENV)/ready-bench  ## commands, store and models beside another version: OTHER=PYTHON
	$(BIN)/python -m benchmarks.waiting $(if $(OTHER),--other $(OTHER))

large: $(VENV)/ready-bench  ## a million words, ten million documents, manual pages; half an hour
	$(BIN)/python -m benchmarks.large words
	$(BIN)/python -m benchmarks.large stream $(if $(OTHER),--other $(OTHER))
	$(BIN)/python -m benchmarks.large pages $(if $(OTHER),--other $(OTHER))

deletion-by-m: $(VENV)/ready-bench $(VENV)/ready-evidence  ## figure of docs/performance.md
	$(BIN)/python -m benchmarks.deletion_by_m --out docs/figures > docs/figures/deletion-by-m.txt

peers: $(VENV)/ready-bench  ## beside SciPy and six other libraries; much longer
	$(BIN)/python -m benchmarks.main_job
	$(BIN)/python -m benchmarks.peers.compare

quality: $(VENV)/ready-bench  ## topics beside LDA, NMF and anchor words; some hours
	$(BIN)/python -m benchmarks.quality.compare --keep .cache/quality

bench-asv: $(VENV)/ready-bench  ## each benchmark of this commit once; `asv run` for history
	$(BIN)/asv --config benchmarks/asv.conf.json machine --yes > /dev/null
	$(BIN)/asv --config benchmarks/asv.conf.json run --quick

evidence: $(VENV)/ready-evidence  ## figures and tables of docs/epsilon-delta.md; some minutes
	mkdir -p docs/figures
	set -e; for name in $(THEORY); do echo $$name; \
	  $(BIN)/python -m benchmarks.theory.$$name --out docs/figures > docs/figures/$$name.txt; done

heads: $(VENV)/ready-bench $(VENV)/ready-evidence  ## figures of docs/heads.md; about an hour
	$(BIN)/python -m benchmarks.heads.capacity --out docs/figures > docs/figures/head-capacity.txt
	$(BIN)/python -m benchmarks.heads.accuracy > docs/figures/head-accuracy.txt
	$(BIN)/python -m benchmarks.heads.deletion > docs/figures/head-deletion.txt

build: $(BIN)/python  ## sdist and wheel in dist/
	$(PIP) install build
	$(BIN)/python -m build

clean:  ## remove all that was made
	rm -rf $(VENV) build dist src/*.egg-info src/pyunlearn/_core/*.so
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else \
	  "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/ready: $(COMPILED) | $(BIN)/python
	$(PIP) install --editable .
	touch $@

$(VENV)/ready-test: $(COMPILED) | $(BIN)/python
	$(PIP) install --editable ".[test,lint,privacy,plot,accounting]"
	touch $(VENV)/ready $@

$(VENV)/ready-evidence: $(COMPILED) | $(BIN)/python
	$(PIP) install --editable ".[privacy,plot]"
	touch $(VENV)/ready $@

$(VENV)/ready-bench: $(COMPILED) | $(BIN)/python
	$(PIP) install --editable ".[bench]"
	touch $(VENV)/ready $@
