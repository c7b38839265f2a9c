# Every target sets up what it needs: a virtual environment with the pinned, hashed dependencies.
SHELL := /bin/sh
BIN := .venv/bin
# The start of a process takes twice as long where each compiles all modules anew.
unexport PYTHONDONTWRITEBYTECODE
# The first interpreter that really starts and is one of those we support; PYTHON=… overrides the choice.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3 python; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& command -v $$python && break; done)

# The longest first: two run at a time, and each prints as a whole once it is done.
CHECKS := check-types check-architecture check-imports check-lint check-format check-compose

.PHONY: demo test soak serve bench check format lock keep-release clean $(CHECKS)

demo: .venv/ready
	@$(BIN)/foldstream demo

serve: .venv/ready
	@$(BIN)/foldstream serve

# `auto` is two more than there are cores, since tests of servers mostly wait. Each worker has servers of its own.
WORKERS ?= auto
TESTS := $(BIN)/pytest --numprocesses $(WORKERS) --dist worksteal --ignore=tests/architecture

test: check
	@echo "== tests" && $(TESTS)

soak: .venv/ready
	@$(TESTS) -m soak

check: .venv/ready
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target $(CHECKS)

check-types: .venv/ready
	@echo "== types" && $(BIN)/mypy

check-architecture: .venv/ready
	@echo "== architecture" && $(BIN)/pytest tests/architecture

check-imports: .venv/ready
	@echo "== imports" && $(BIN)/lint-imports --no-cache --no-logo

check-lint: .venv/ready
	@echo "== lint" && $(BIN)/ruff check .

check-format: .venv/ready
	@echo "== format" && $(BIN)/ruff format --check .

check-compose: .venv/ready
	@echo "== compose.yaml" && $(BIN)/check-jsonschema --builtin-schema vendor.compose-spec compose.yaml

bench: .venv/ready
	@$(BIN)/python -m bench

format: .venv/ready
	@$(BIN)/ruff check --fix-only --quiet . ; $(BIN)/ruff format .

LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate --quiet

lock:  # needs uv; the image installs the first, everything here the second
	$(LOCK) --extra dev --output-file requirements-dev.lock
	$(LOCK) --constraint requirements-dev.lock --output-file requirements.lock

# At each release: keeps its code, beside which the next one is tested.
RELEASE ?= HEAD
keep-release:
	git archive --format=tar $(RELEASE) domain projections infrastructure service | xz -9e > tests/service/data/last_release.tar.xz

clean:
	rm -rf .venv .mypy_cache .ruff_cache .hypothesis *.egg-info

.venv/ready: requirements-dev.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Foldstream needs Python 3.11, 3.12 or 3.13; none of them starts here." >&2; exit 1; }
	@echo "== set-up with $(PYTHON)"
	@$(PYTHON) -m venv --clear .venv || { echo "$(PYTHON) can't make a virtual environment \
	(on Debian: apt install python3-venv)." >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch .venv/ready
