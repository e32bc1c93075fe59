# make run       set up from nothing, load the demo, start server and worker   (PORT=5050 make run)
# make accounts  the demo accounts as JSON
# make test      every test, with real browsers         make soak    the long rounds
# make check     lint, format, types, import contracts, translations
# make screenshots   every page of every role into var/screenshots
# For maintainers: make lock, make i18n, make clean

PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
HOST ?= 127.0.0.1
BIN := $(VENV)/bin
FLASK := $(BIN)/flask --app app
export PORT HOST

# pip checks every package against the hashes in requirements/; which index it asks is the machine's own business.
PIP := $(BIN)/python -m pip install -qq --no-compile --no-input --disable-pip-version-check
CATALOGUES := $(wildcard platform/linkage/translations/rooms/*.po)

.PHONY: help run serve prepare assets accounts test guards soak bench-peers wheel-check check fix lock i18n screenshots clean
.DELETE_ON_ERROR:

help:
	@sed -n '/^#/!q;s/^# //p' Makefile

run: prepare
	@$(BIN)/python -m linkage.supervisor

prepare: $(VENV)/run.stamp $(VENV)/i18n.stamp $(VENV)/warm.stamp assets
	@$(FLASK) prepare

accounts: $(VENV)/run.stamp
	@$(FLASK) accounts

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	$(PIP) --no-deps --require-hashes -r requirements/run.txt
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/all.stamp: requirements/all.txt $(VENV)/run.stamp
	$(PIP) --no-deps --require-hashes -r requirements/all.txt
	@touch $@

$(VENV)/bench.stamp: requirements/bench.txt $(VENV)/all.stamp
	$(PIP) --no-deps --require-hashes -r requirements/bench.txt
	@touch $@

$(VENV)/https.stamp: requirements/https.txt $(VENV)/run.stamp
	$(PIP) --no-deps --require-hashes -r requirements/https.txt
	@touch $@

# The search is compiled once here, so that the first plan does not spend its seconds on it.
$(VENV)/warm.stamp: $(wildcard matching/*.py matching/kernel/*.py) $(VENV)/run.stamp
	@echo "Compiling the search (once, less than a minute) ..."
	@$(BIN)/python -m matching warm-up
	@touch $@

assets: $(VENV)/run.stamp
	@$(BIN)/python scripts/vendor_assets.py

$(VENV)/i18n.stamp: $(CATALOGUES) scripts/i18n.py $(VENV)/run.stamp
	@$(BIN)/python scripts/i18n.py compile
	@touch $@

i18n: $(VENV)/run.stamp
	$(BIN)/python scripts/i18n.py extract
	$(BIN)/python scripts/i18n.py compile

check: $(VENV)/all.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/i18n.py check

fix: $(VENV)/all.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: $(VENV)/all.stamp $(VENV)/https.stamp $(VENV)/i18n.stamp $(VENV)/warm.stamp assets
	$(BIN)/python scripts/browser.py
	$(BIN)/python -m pytest -q -n 2 -m "not journey and not soak"
	$(BIN)/python -m pytest -q -n 2 --maxschedchunk 1 -m "journey and not soak"

# Each guard is taken away in turn: the tests of the map must notice every time.
guards: $(VENV)/all.stamp $(VENV)/i18n.stamp assets
	$(BIN)/python scripts/mutate_guards.py

soak: $(VENV)/all.stamp $(VENV)/i18n.stamp $(VENV)/warm.stamp assets
	$(BIN)/python -m pytest -q -m soak

# The project's wheel in an environment of its own without Flask: a few minutes, most of them to compile.
wheel-check: $(VENV)/all.stamp
	$(BIN)/python scripts/wheel_check.py

# The engine beside VROOM and PyVRP, four minutes; the peers are installed for this alone.
bench-peers: $(VENV)/bench.stamp $(VENV)/warm.stamp
	PYTHONPATH=. $(BIN)/python scripts/compare_peers.py

screenshots: $(VENV)/all.stamp $(VENV)/i18n.stamp assets
	$(BIN)/python scripts/browser.py
	$(BIN)/python scripts/screenshots.py

lock: $(VENV)/all.stamp
	$(PIP) uv
	$(BIN)/python scripts/lock.py $(BIN)/uv

clean:
	rm -rf $(VENV) node_modules platform/linkage/static/vendor build dist
	find platform -name '*.mo' -delete
