# Every target is one visible command line. `make help` lists them.
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: help demo test lint bench lock clean

help: ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: requirements.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.txt
	@touch $@ $(VENV)/.demo

static/vendor/.done: package-lock.json portal/assets.py | $(VENV)/bin/python
	$(BIN)/python -m portal.assets
	@touch $@

demo: $(VENV)/.demo static/vendor/.done ## set up and run web, worker and a real provider; prints ready: <url>
	exec $(BIN)/python manage.py demo

test: $(VENV)/.dev static/vendor/.done ## set up, lint, and pass all tests on SQLite, and on PostgreSQL where one answers
	$(MAKE) --no-print-directory lint
	$(BIN)/python -m tests.run $(PYTEST_ARGS)

lint: $(VENV)/.dev ## ruff, format, types, import contracts, migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python manage.py makemigrations --check --dry-run --settings portal.settings.test

bench: $(VENV)/.dev ## benchmarks, as ratios measured side by side
	$(BIN)/python -m bench

lock: $(VENV)/.dev ## make the lock files anew from pyproject.toml
	$(BIN)/pip install --quiet pip-tools
	$(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --extra demo -o requirements.txt pyproject.toml
	$(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --extra demo --extra dev -c requirements.txt -o requirements-dev.txt pyproject.toml

clean: ## remove what set-up and demo made
	rm -rf $(VENV) var static/vendor
