# `make` lists what there is. Everything lives in .venv and OPD_VAR (default var/).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Changes with the requirements, so that an unchanged environment costs nothing.
STAMP := $(VENV)/.installed-$(shell cksum < requirements.txt | cut -d' ' -f1)
APPS := opd_engine common accounts patients scheduling tokens billing reception consultations reports
CODE := $(APPS) $(wildcard benchmarks) conftest.py manage.py
TESTERS ?= auto

.DEFAULT_GOAL := help
.PHONY: help run test bench lint format messages screenshots reset

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

run: $(STAMP) ## the whole product: database, demo hospital, server and worker; prints the address and who can sign in
	@$(BIN)/python manage.py start

test: $(STAMP) ## the whole test suite, on an embedded PostgreSQL of its own
	@$(BIN)/python -m pytest -n $(TESTERS) --dist worksteal

bench: $(STAMP) ## how fast the engine and the API are, beside the same work done by hand in SQL
	@$(BIN)/python -m benchmarks

lint: $(STAMP) ## style, types, floors, templates, migrations
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy $(CODE)
	$(BIN)/djlint --lint --quiet templates
	$(BIN)/python manage.py check --fail-level WARNING
	$(BIN)/python manage.py makemigrations --check --dry-run

format: $(STAMP) ## let the tools put the code in order
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)

messages: $(STAMP) ## collect what patients read into locale/ and compile it (needs gettext)
	@$(BIN)/python manage.py messages

screenshots: $(STAMP) ## the pictures in docs/ anew, from a running server with a fresh demo (needs Chromium)
	@$(BIN)/python manage.py screenshots

reset: $(STAMP) ## delete the hospital in OPD_VAR; asks first
	@$(BIN)/python manage.py reset

$(STAMP): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or later is needed; $(PYTHON) is not. Name one: make PYTHON=python3.12 run"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "Python's venv module is missing (Debian: apt install python3-venv)."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what requirements.txt names (once) ..."
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -r requirements.txt
	@rm -f $(VENV)/.installed-* && touch $@
