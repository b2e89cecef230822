# Everything is set up by itself: a virtual environment in .venv with the locked, hashed dependencies.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO ?= demo
BEFORE ?= bd66775
SITE_VENV := .venv-docs
SITE_STAMP := $(SITE_VENV)/.installed

.PHONY: help demo test servers consortium consortium-stop check bench docs graph site lock format clean

help: ## show what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Xinglin needs Python 3.11 or later; name one: make PYTHON=/path/to/python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(SITE_STAMP): requirements/docs.txt
	test -x $(SITE_VENV)/bin/python || $(PYTHON) -m venv $(SITE_VENV)
	$(SITE_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/docs.txt
	@touch $@

demo: $(STAMP) ## a whole region on this machine: generate, ingest, link, build, answer
	$(BIN)/xinglin demo --out $(DEMO)

test: $(STAMP) ## every test in two processes: conformance first, then the rest and the docs' blocks (PART=landing: one part only)
ifdef PART
	$(BIN)/python -m pytest -n 2 $(wildcard tests/unit/$(PART) tests/unit/sources/$(PART) tests/$(PART))
else
	$(BIN)/python -m pytest tests/conformance -n 2 --durations 10
	$(BIN)/python -m pytest --ignore tests/conformance -n 2 --durations 15
endif

servers: $(STAMP) ## the real counterparts of the tests, where missing: PostgreSQL, dcmtk, Orthanc, Java, age (Debian, root); HDFS, S3 (Maven, Go)
	tests/servers.sh
	$(BIN)/python -m tests.stores
	$(BIN)/python -m xinglin.ledger.consortium.toolchain

consortium: $(STAMP) ## CometBFT (by Go), and four validators on this machine's loopback under ./consortium, in the background
	$(BIN)/python -m xinglin.ledger.consortium.toolchain
	$(BIN)/xinglin ledger demo consortium

consortium-stop: $(STAMP) ## end them
	$(BIN)/xinglin ledger demo consortium --stop

check: $(STAMP) site ## style, types, architecture, documentation site
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP) ## measure beside the physical limit; results in bench/results (BENCH="--resources 100000 --times 1" is quick)
	$(BIN)/python -m bench $(BENCH)

docs: $(STAMP) ## generate the reference pages: data dictionary, commands, settings
	$(BIN)/python -m xinglin.contracts.dictionary > docs/reference/dictionary.md
	$(BIN)/python -m tools.command_reference > docs/reference/commands.md
	$(BIN)/python -m tools.settings_reference > docs/reference/settings.md

graph: $(STAMP) ## draw the import graph of docs/architecture.md, now and before the packages were regrouped
	$(BIN)/python -m tools.import_graph docs/images/imports-before.svg --revision $(BEFORE) --title "Before ($(BEFORE))"
	$(BIN)/python -m tools.import_graph docs/images/imports-now.svg --title "Now"

site: $(SITE_STAMP) ## build the documentation site into site/; a warning or a broken link is an error
	rm -rf site
	$(SITE_VENV)/bin/python -m sphinx --fail-on-warning --keep-going --quiet --fresh-env --builder html docs site
	@echo "site/index.html"

lock: ## update the locked requirements from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --output-file requirements/core.txt
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --extra plot --extra spark --extra consortium --group dev --output-file requirements/dev.txt
	uv pip compile --group docs --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --output-file requirements/docs.txt

format: $(STAMP) ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## remove what make made
	rm -rf $(VENV) $(SITE_VENV) $(DEMO) site .mypy_cache .ruff_cache .pytest_cache .hypothesis
