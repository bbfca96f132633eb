# `make` lists the targets. Everything is installed into .venv; nothing needs root.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV ?= .venv
EXTRAS ?= dev
BIN := $(VENV)/bin
PYTEST_ARGS ?=
DEMO ?= demo
DEMO_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help install demo test check docs site dist clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | sort | while IFS="$$(printf '\t')" read -r name line; do \
		printf '  make %-8s %s\n' "$$name" "$$line"; done

install: $(VENV)/.installed ## create .venv and install mner with everything that training and the tests need

demo: $(VENV)/.installed $(VENV)/.encoder ## train on the packaged sample, compare both views, write pages to demo/
	$(BIN)/python tools/demo.py --out $(DEMO) $(DEMO_ARGS)

test: $(VENV)/.installed $(VENV)/.encoder ## run every test, in as many processes as there are cores, at most 4
	$(BIN)/pytest --numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

check: $(VENV)/.installed ## lint, formatting, types and the contracts between rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --verbose

docs: $(VENV)/.installed ## rewrite what docs/reference and docs/backends take from the code
	$(BIN)/python tools/write_reference.py
	$(BIN)/python tools/write_backends.py

site: $(VENV)/.installed ## build the documentation into site/, its links checked
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

dist: $(VENV)/.installed ## build wheel and sdist into dist/, check them, and try the wheel in a new environment
	$(BIN)/python tools/dist.py

clean: ## remove what the targets above made, .venv excepted
	rm -rf $(DEMO) dist site .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV)/.installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "error: Python 3.11 or later is needed; name one: make PYTHON=/path/to/python3 ..." >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$(EXTRAS)]'
	@touch $@

$(VENV)/.encoder: $(VENV)/.installed
	$(BIN)/mner encoder fetch embedded:minilm
	@touch $@
