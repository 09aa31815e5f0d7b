# Everything makes its own .venv and installs what it needs; Python >= 3.11 is all that must be there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The version CI runs. Asked for first and alone, so that a CPU build at hand is taken.
TORCH := torch==2.13.0
RUN ?= runs/smollm2-demo

.PHONY: help demo test check unit docs clients native chromium clean

help:
	@echo "make demo   grow, heal, teach, align, merge and prove a real model (about 20 minutes)"
	@echo "make test   linters, types, layers, docs and the whole test suite"
	@echo "make clients   real clients of OpenAI and Upstage against a real server (some minutes)"
	@echo "make native   compile llama.cpp for this processor (minutes; a C++ compiler, CMake, git, Rust)"
	@echo "make docs   build the documentation into site/"

$(VENV)/made: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet '$(TORCH)'
	$(BIN)/pip install --quiet -e '.[all]' --group dev
	touch $@

demo: $(VENV)/made
	$(BIN)/solar build recipes/smollm2-demo.toml --run $(RUN)
	$(BIN)/solar chat $(RUN)/merged --prompt "What is the capital of South Korea?"
	@echo "the report: $(RUN)/report.html"

test: check unit

check: $(VENV)/made
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/ty check src
	$(BIN)/lint-imports
	$(MAKE) docs

unit: $(VENV)/made chromium
	$(BIN)/pytest

# Eleven environments of their own, so not a part of `make test`.
clients: $(VENV)/made
	$(BIN)/python benchmarks/clients/run.py

# The wheel of llama.cpp leaves AVX-512 and other newer instructions unused.
native: $(VENV)/made
	PATH="$(abspath $(BIN)):$$PATH" sh -c \
	  "$$($(BIN)/python -c 'from solarmini.engine.compiled import how_to_compile as f; print(f())')"
	$(BIN)/python -c 'import xllamacpp; print(xllamacpp.get_system_info())'
	$(BIN)/pytest tests/engine/test_llama.py

# The page's tests look at it in a real browser; without one they are skipped by name.
chromium:
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 && apt-get install -qq -y chromium; } \
	  || echo "no Chromium found: the page is not tested in a browser"

docs: $(VENV)/made
	$(BIN)/python docs/generate.py --check
	$(BIN)/zensical build --clean --strict

clean:
	rm -rf $(VENV) .venvs .cache site runs
