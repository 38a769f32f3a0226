# Set-up and the few commands that a person types. Each makes .venv first where it is missing or older than the lock.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/installed
RUN := PATH="$(CURDIR)/$(BIN):$$PATH"
SNAKEMAKE := $(RUN) snakemake --cores all --resources gpu=2

.PHONY: reproduce test lint report clean

reproduce: $(READY)
	$(SNAKEMAKE)
	$(RUN) gwsd compare results/demo reference/demo --brief

report: $(READY)
	$(SNAKEMAKE)
	$(RUN) snakemake --report results/report.html
	@echo "results/report.html"

test: $(READY)
	$(RUN) python -m pytest

lint: $(READY)
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) snakefmt --check Snakefile rules
	$(RUN) mypy
	$(RUN) interrogate gwsd
	$(RUN) lint-imports
	$(RUN) snakemake --lint

$(READY): envs/requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or later is needed, this is " + sys.version.split()[0] + "; name another: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --requirement envs/requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $(READY)

clean:
	rm -rf results .snakemake
