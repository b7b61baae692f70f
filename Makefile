# `make run` and `make test` set up all they need on a bare Debian. `make help` lists the rest.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
JOBS   ?= 2

.PHONY: help run test lint format unit e2e conformance bench lock clean
.DEFAULT_GOAL := help

help:            ## this list
	@sed -n 's/^\([a-z0-9]*\): .*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

run: $(VENV)/.runtime   ## a dev agent with a small example catalog; Ctrl-C ends it
	@exec $(BIN)/python scripts/demo.py $(ARGS)

test: lint unit e2e     ## every check and every test, what they need included

lint: $(VENV)/.dev      ## ruff, types, layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev    ## let ruff rewrite what it can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

unit: $(VENV)/.dev $(VENV)/.system   ## the tests of single modules, in parallel (the stores' start etcd)
	$(BIN)/pytest --ignore=tests/e2e -n $(JOBS) -q

e2e: $(VENV)/.dev $(VENV)/.system .cache/npm/.installed   ## the tests that run real processes, conformance included
	$(BIN)/pytest tests/e2e -v

conformance: $(VENV)/.dev   ## what is different from the reference; ONLY=kv,txn narrows it
	$(BIN)/python ../shared/conformance/conformance.py check --binary $(CURDIR)/$(BIN)/lictor $(if $(ONLY),--only $(ONLY)) -v

bench: $(VENV)/.dev $(VENV)/.system   ## the table of figures beside nginx's; ARGS=--write keeps it in bench/RESULTS.md
	$(BIN)/python -m bench $(ARGS)

lock: $(VENV)/.dev      ## resolve the pinned versions anew
	scripts/lock

clean:           ## remove what these targets made
	rm -rf $(VENV) .cache dist
	find src tests bench scripts -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps. Locks hold hashes and every dependency, so pip resolves nothing and trusts no index.
INSTALL = $(BIN)/pip install --quiet --disable-pip-version-check --no-deps

$(BIN)/pip:
	scripts/system-packages python
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock pyproject.toml | $(BIN)/pip
	$(INSTALL) --require-hashes -r requirements.lock
	$(INSTALL) --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/.system: scripts/system-packages | $(BIN)/pip
	scripts/system-packages tests
	@touch $@

# npm's `consul`, pinned: an existing client that the end-to-end tests run as it is.
.cache/npm/.installed: tests/e2e/npm/package.json tests/e2e/npm/package-lock.json $(VENV)/.system
	mkdir -p .cache/npm
	cp tests/e2e/npm/package.json tests/e2e/npm/package-lock.json .cache/npm/
	npm ci --prefix .cache/npm --no-audit --no-fund --loglevel=error
	@touch $@
