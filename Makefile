# Every target sets up what it needs: a virtual environment with the pinned, hashed dependencies.
SHELL := /bin/sh
BIN := .venv/bin
# The first interpreter that really starts and is one of those we support; PYTHON=… overrides the choice.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3 python; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& command -v $$python && break; done)

.PHONY: demo test serve bench check format lock clean

demo: .venv/ready
	@$(BIN)/foldstream demo

serve: .venv/ready
	@$(BIN)/foldstream serve

# Two runs side by side, since tests of servers mostly wait; what the first said is shown at the end.
STORE := $(addprefix tests/,infrastructure/embedded eventstore aggregates snapshots sagas history schema)
test: check
	@echo "== tests of the service"
	@$(BIN)/pytest $(STORE) > .venv/store.log 2>&1 & store=$$!; \
	$(BIN)/pytest --ignore=tests/architecture $(addprefix --ignore=,$(STORE)); rest=$$?; \
	echo "== tests of the event store, of aggregates, snapshots, sagas and histories"; \
	wait $$store; store=$$?; cat .venv/store.log; \
	exit $$((rest | store))

check: .venv/ready
	@echo "== format" && $(BIN)/ruff format --check .
	@echo "== lint" && $(BIN)/ruff check .
	@echo "== types" && $(BIN)/mypy
	@echo "== imports" && $(BIN)/lint-imports --no-cache --no-logo
	@echo "== sizes" && $(BIN)/pytest tests/architecture
	@echo "== compose.yaml" && $(BIN)/check-jsonschema --builtin-schema vendor.compose-spec compose.yaml

bench: .venv/ready
	@$(BIN)/foldstream bench

format: .venv/ready
	@$(BIN)/ruff check --fix-only --quiet . ; $(BIN)/ruff format .

LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate --quiet

lock:  # needs uv; the image installs the first, everything here the second
	$(LOCK) --extra dev --output-file requirements-dev.lock
	$(LOCK) --constraint requirements-dev.lock --output-file requirements.lock

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
