# Two commands are all a newcomer needs: `make demo` and `make test`. Both create what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WEB_SOURCES := $(shell git ls-files sensor_bridge/dashboard/web sensor_bridge/dashboard/build_hook.py 2>/dev/null)

.PHONY: demo test lint types benchmarks clean help

help:
	@echo "make demo        a virtual athlete does slow Romanian deadlifts; watch them live in the browser"
	@echo "make test        style, types, import rules and all tests"
	@echo "make benchmarks  real hinges and latency, measured anew"
	@echo "make clean       removes the environment and everything built"

demo: $(VENV)/runtime-installed
	$(BIN)/hipline demo $(DEMO_OPTIONS)

test: $(VENV)/development-installed
	@.ci/system-tools
	$(MAKE) --no-print-directory lint types
	$(BIN)/python -m pytest $(PYTEST_OPTIONS)

lint: $(VENV)/development-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/development-installed
	$(BIN)/mypy

benchmarks: $(VENV)/development-installed
	$(BIN)/python -m benchmarks.bowing
	$(BIN)/python -m benchmarks.latency

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Hipline needs Python 3.11 or newer: run make with PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || .ci/system-tools python-venv
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/runtime-installed: pyproject.toml $(WEB_SOURCES) | $(VENV)/bin/python
	@echo "Installing Hipline into $(VENV) and building its web page (about two minutes the first time) ..."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/development-installed: pyproject.toml $(WEB_SOURCES) | $(VENV)/bin/python
	@echo "Installing Hipline with its development tools into $(VENV) ..."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/runtime-installed

clean:
	rm -rf $(VENV) build dist sensor_bridge/dashboard/web/dist sensor_bridge/dashboard/web/node_modules tests/asyncapi/node_modules
