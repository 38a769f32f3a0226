# Set-up and the main commands. Each creates or updates .venv first, with the requirements that it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := PATH="$(CURDIR)/$(BIN):$$PATH"

.PHONY: reproduce report test lint clean

reproduce: $(VENV)/run
	$(RUN) snakemake --cores all --resources gpu=2
	$(RUN) gwsd compare results/demo reference/demo

report: $(VENV)/run
	$(RUN) snakemake --cores all --resources gpu=2
	$(RUN) snakemake --report results/report.html
	@echo "results/report.html"

test: $(VENV)/test
	$(RUN) python -m pytest -n 2

lint: $(VENV)/lint
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) snakefmt --check Snakefile rules
	$(RUN) mypy
	$(RUN) interrogate gwsd
	$(RUN) lint-imports
	$(RUN) snakemake --lint

$(VENV)/run: envs/requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or later is required, this is " + sys.version.split()[0] + "; set another: make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --requirement envs/requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/test $(VENV)/lint: $(VENV)/%: envs/requirements-%.txt $(VENV)/run
	$(BIN)/python -m pip install --quiet --requirement $<
	touch $@

clean:
	rm -rf results .snakemake
