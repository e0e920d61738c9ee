# Every target works from a fresh clone: what needs the environment builds it first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= auto
PREFIX ?= /opt/tracker

.DEFAULT_GOAL := help
.PHONY: help setup install demo test postgres lint packaging check core bench fuzz invariants soak chaos docs lock audit clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## build .venv from the hash-pinned requirements and install the project

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Tracker needs Python 3.11 or newer, and '$(PYTHON)' is not that." \
		     "Name another one: make $(or $(MAKECMDGOALS),setup) PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { \
		echo "Could not create $(VENV). On Debian and Ubuntu: apt install python3-venv" >&2; rm -rf $(VENV); exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

install: ## on a server, as root: the program into PREFIX (/opt/tracker); then PREFIX/bin/tracker init --system
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Tracker needs Python 3.11 or newer, and '$(PYTHON)' is not that. Name another: make install PYTHON=/usr/bin/python3.12" >&2; \
		exit 1; }
	@mkdir -p $(PREFIX) && test -w $(PREFIX) || { echo "Nothing was done: $(PREFIX) cannot be written. Try: sudo make install" >&2; exit 1; }
	@umask 022 && $(PYTHON) -m venv $(PREFIX) || { \
		echo "Could not create $(PREFIX). On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	umask 022 && $(PREFIX)/bin/python -m pip install $(QUIET) --require-hashes -r requirements/server.txt
	@umask 022 && build=$$(mktemp -d) && trap 'rm -rf "$$build"' EXIT && \
		$(PYTHON) -m venv "$$build/env" && \
		"$$build/env/bin/python" -m pip install $(QUIET) --require-hashes -r requirements/build.txt && \
		"$$build/env/bin/python" -m pip wheel $(QUIET) --no-build-isolation --no-deps --wheel-dir "$$build" . && \
		$(PREFIX)/bin/python -m pip install $(QUIET) --no-index --no-deps --force-reinstall "$$build"/*.whl
	@umask 022 && rm -rf $(PREFIX)/docs && cp -R docs $(PREFIX)/docs
	@echo "Installed $$($(PREFIX)/bin/tracker --version) in $(PREFIX). Next: sudo $(PREFIX)/bin/tracker init --system"

QUIET := --quiet --disable-pip-version-check

demo: $(STAMP) ## 75 days of about thirty parcels in under a minute, into ./tracker-demo
	$(BIN)/tracker demo

test: $(STAMP) ## the tests: SQLite, ten to fifteen minutes on two cores
	$(BIN)/python -m pytest -q -n $(WORKERS) -m "not packaging and not postgres"

postgres: $(STAMP) ## the tests on a real PostgreSQL, started from the system's binaries (Debian: apt install postgresql)
	@$(BIN)/python -m tests.postgres
	$(BIN)/python -m pytest -q -n $(WORKERS) -m "postgres and not packaging"
	$(MOVED)

# Rooms whose tests open SQLite files by themselves, sent to PostgreSQL.
ROOMS := tests/desk tests/dispatch tests/sweep tests/polling tests/engine tests/reports tests/alerts
MOVED = $(BIN)/python -m pytest -q -n $(WORKERS) --database postgres -m "not postgres and not sqlite_only" $(ROOMS)

lint: $(STAMP) ## format, lint, types, layers, dependencies
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy tracker carriers tests
	$(BIN)/lint-imports
	$(BIN)/deptry .

packaging: $(STAMP) ## the tests that build the wheel and run it outside the checkout
	$(BIN)/python -m pytest -q -n 0 -m packaging

check: lint ## all that CI checks: lint, every test with coverage, the wheel
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup --cov --cov-report=term
	$(CORE)
	$(MOVED)

core: $(STAMP) ## after a run of all tests with --cov: is every branch of the pure core and of the adapters reached?
	$(CORE)

# A branch of what decides about money and words that no test reaches is a situation that nobody has thought of, or dead.
CORE = @$(BIN)/python -m coverage report --fail-under=100 --include='carriers/*,tracker/compensation/*,tracker/dates*,$\
	tracker/explain/*,tracker/messages/*,tracker/model/*,tracker/policy/*,tracker/rules/*,tracker/timeline/*,tracker/times.py'

bench: $(STAMP) ## CPU per shipment against the floor, into build/bench.json; KARRIO=... a python with karrio-server, beside ours
	$(BIN)/python -m tests.bench $(if $(KARRIO),--karrio $(KARRIO))

fuzz: $(STAMP) ## a million cases of bad input against every adapter; CASES=... SEED=...; what fails lies in build/fuzz/
	$(BIN)/python -m tests.fuzz --cases $(or $(CASES),1000000) --seed $(or $(SEED),1)

invariants: $(STAMP) ## new stories for the state machine until one breaks an invariant; EXAMPLES=...
	HYPOTHESIS_PROFILE=long EXAMPLES=$(or $(EXAMPLES),1000) $(BIN)/python -m pytest -q -n 0 tests/machine/test_machine.py

soak: $(STAMP) ## seventy simulated days of a busy shop: does anything grow? TICKS=... SHIPMENTS=...
	$(BIN)/python -m tests.soak --ticks $(or $(TICKS),10000) --shipments $(or $(SHIPMENTS),100000)

chaos: $(STAMP) ## a thousand SIGKILLs of daemons and commands, then everything is counted; CHAOS_KILLS=... SEED=...; what fails lies in build/chaos/
	$(BIN)/python -m tests.chaos --kills $(or $(CHAOS_KILLS),1000) --seed $(or $(SEED),1)

docs: $(STAMP) ## write the pages of docs/ that are made from the code
	$(BIN)/python -m tests.docs
	$(BIN)/python -m tracker.log > docs/events.md

lock: $(STAMP) ## renew requirements/*.txt: versions and hashes only, no address of any registry
	$(BIN)/uv pip compile --quiet $(LOCK) --output-file requirements/runtime.txt pyproject.toml
	$(BIN)/uv pip compile --quiet $(LOCK) --extra alerts --extra evidence --extra fleet --extra web --output-file requirements/server.txt pyproject.toml
	$(BIN)/uv pip compile --quiet $(LOCK) --group build --output-file requirements/build.txt
	$(BIN)/uv pip compile --quiet $(LOCK) --all-extras --group dev --output-file requirements/dev.txt pyproject.toml
	@! grep -nE '://|^-(i|f)|^--(index|extra-index|find-links)' requirements/*.txt || { echo "requirements/ names an address" >&2; exit 1; }

LOCK := --upgrade --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-emit-find-links \
	--custom-compile-command "make lock"

audit: $(STAMP) ## ask whether a pinned version is known to be vulnerable; wants the network, AUDIT_SERVICE=... names a mirror
	$(BIN)/python -m tests.audit

clean: ## remove what was built; .venv stays
	rm -rf build dist tracker-demo .coverage htmlcov .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
