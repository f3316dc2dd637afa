# The workspace's commands. Each installs what it needs into .venv of this checkout; a second call installs nothing.
# A machine needs GNU make and Python 3.11 or newer; `make run PYTHON=/path/to/python` names another interpreter.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: run rehearse test tests-that-wait tests-of-plugins tests-of-the-kernel check simulate mutants survive kills fuzz bench lock clean help

VENV := .venv
BIN := $(VENV)/bin
CONFIG ?= config.toml
SEED ?= 0
COUNT ?= 1000
RESULTS ?= var/kills.jsonl
FUZZ ?= 1000000
PAIRS ?= 0.3
JUDGED := --judge tests.simulation.judging:judge

# The first interpreter that is new enough; asked only when .venv has to be made.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)

PLUGINS := $(patsubst %/pyproject.toml,%,$(sort $(wildcard plugins/*/pyproject.toml)))
TYPED := framework tests tools bench $(wildcard $(foreach place,$(PLUGINS) examples/*,$(place)/src $(place)/tests))
PROJECTS := pyproject.toml $(addsuffix /pyproject.toml,$(PLUGINS))

PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input -qq
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

# ── what people call ─────────────────────────────────────────────────────────────────────────────────────────

run: $(VENV)/.stamp-run ## play the default deployment: the documented wave on two paper accounts
	@$(BIN)/framework run --config $(CONFIG)

rehearse: $(VENV)/.stamp-run ## the same wave through the real exchange plugins, against emulated venues
	@$(BIN)/framework rehearse --config examples/rehearsal/config.toml

test: check ## every check, then every test
	@$(MAKE) --no-print-directory --jobs=3 --output-sync=target tests-that-wait tests-of-plugins tests-of-the-kernel

# The first wait for real sockets most of the time, so they run beside the others.
tests-that-wait:
	@$(BIN)/pytest tests/survival tests/kills tests/cli/test_upkeep.py

tests-of-plugins:
	@$(BIN)/pytest plugins

tests-of-the-kernel:
	@$(BIN)/pytest tests --ignore=tests/survival --ignore=tests/kills --ignore=tests/cli/test_upkeep.py

check: $(VENV)/.stamp-dev ## format, lint, types, and what may import what
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary $(TYPED)
	@$(BIN)/lint-imports --no-logo > $(VENV)/lint-imports.log || { cat $(VENV)/lint-imports.log; exit 1; }
	@echo "check: fine"

simulate: $(VENV)/.stamp-dev ## ten minutes of the product against faults, crashes and chance, judged by the oracle
	@export PYTHONPATH=. ; failed=0; judged() { echo "framework simulate $$*"; \
		$(BIN)/framework simulate "$$@" --seed $(SEED) $(JUDGED) || failed=1; }; \
	judged --for 300 --every-kind; judged --for 60 --weather 0.25; judged --for 40 --read-lag 600; \
	judged crashes --pairs $(PAIRS); exit $$failed

mutants: $(VENV)/.stamp-dev ## the product with each known mistake in its protocol: the simulation's judges must find it out
	@PYTHONPATH=. $(BIN)/python -m tests.mutants --seed $(SEED)

survive: $(VENV)/.stamp-dev ## what the product survives on emulated venues, and a network that is lost for a minute
	@$(BIN)/pytest tests/survival
	@SURVIVE_OUTAGE_S=60 $(BIN)/pytest tests/survival/test_network_lost.py

kills: $(VENV)/.stamp-dev ## a thousand SIGKILLs, damaged journals, a process stopped for a minute (COUNT, SEED, RESULTS)
	@$(BIN)/python -m tests.kills --count $(COUNT) --jobs $$(nproc) --seed $(SEED) --out $(RESULTS)
	@FRAMEWORK_BLOWS=1000 $(BIN)/pytest tests/journal/test_blows.py
	@KILLS_DAMAGES=24 KILLS_SEED=$(SEED) $(BIN)/pytest tests/kills/test_damaged.py
	@KILLS_STOPPED_S=60 $(BIN)/pytest tests/kills/test_stopped.py
	@KILLS_RESTARTED_S=130 $(BIN)/pytest tests/kills/test_restarted.py

fuzz: $(VENV)/.stamp-dev ## a million damaged messages for every parser of signals
	@PYTHONPATH=. $(BIN)/python -m tests.signals.fuzzing $(FUZZ) $(SEED)

bench: $(VENV)/.stamp-run ## what things cost, beside their budgets
	@$(BIN)/python -m bench

lock: $(VENV)/.stamp-lock ## write requirements/*.txt anew, each version with its hashes
	@for name in run build dev compat lock; do \
		$(COMPILE) --upgrade requirements/$$name.in --output-file requirements/$$name.txt || exit 1; done

clean: ## remove .venv, caches and what was built
	@rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## this list
	@sed -n 's/^\([a-z]*\):.* ## /make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14

# ── what is installed, each once ─────────────────────────────────────────────────────────────────────────────

$(VENV)/.stamp-venv:
	@test -n "$(PYTHON)" || { \
		echo "error: no Python 3.11 or newer on the PATH; install one, or say make PYTHON=/path/to/python" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "error: $(PYTHON) is not Python 3.11 or newer; say make PYTHON=/path/to/python" >&2; exit 1; }
	@echo "making $(VENV)"
	@"$(PYTHON)" -m venv $(VENV)
	@touch $@

$(VENV)/.stamp-run: $(VENV)/.stamp-venv requirements/run.txt requirements/build.txt $(PROJECTS)
	@echo "installing the kernel, $(words $(PLUGINS)) plugins and what they need"
	@$(PIP) install --require-hashes --requirement requirements/run.txt --requirement requirements/build.txt
	@$(PIP) install --no-deps --no-build-isolation $(addprefix --editable ./,. $(PLUGINS))
	@touch $@

$(VENV)/.stamp-dev: $(VENV)/.stamp-run requirements/dev.txt
	@echo "installing what checks and tests need"
	@$(PIP) install --require-hashes --requirement requirements/dev.txt
	@touch $@

$(VENV)/.stamp-lock: $(VENV)/.stamp-venv requirements/lock.txt
	@$(PIP) install --require-hashes --requirement requirements/lock.txt
	@touch $@
