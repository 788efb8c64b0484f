# `make reports` renders the reports, `make test` runs the tests; both set up what they need.
#
#   make reports ARGS="locomotion -p method=DL"    other arguments of `python -m helpers render`
#   make reports PYTHON=python3.12                 another Python for the set-up
#   make reports word                              also Word documents, for which pandoc is fetched

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ARGS ?=

.PHONY: reports word test test-slow lab bench reconstruction lint lock
.DEFAULT_GOAL := reports

reports: $(READY)
	@$(BIN)/python -m helpers render $(ARGS)

word: $(VENV)/.word
	@$(BIN)/python -m helpers word $(ARGS)

test: $(READY)
	@$(BIN)/python -m pytest -m "not slow" $(ARGS)

test-slow: $(READY)
	@$(BIN)/python -m pytest -m slow $(ARGS)

lab: $(READY)
	@$(BIN)/jupyter lab --ServerApp.root_dir="$(CURDIR)" --LabApp.default_url=/lab/tree/notebooks

bench: $(READY)
	@$(BIN)/python tests/bench.py
	@$(BIN)/python tests/bench_reports.py $(ARGS)

# Minutes: searches the reconstructed sheet anew. Its result is committed.
reconstruction: $(READY)
	@$(BIN)/python data/sci_exosomes/reconstruct.py $(ARGS)

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

# The environment follows the lock and the project; the last line marks it as complete.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; say where it is: make reports PYTHON=python3.12" >&2; \
	  exit 1; }
	@echo "Setting up $(VENV), once; this takes a few minutes."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.word: requirements-word.lock $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-word.lock
	@touch $@

# Needs uv. A lock for Linux, macOS and Windows, and for every Python from 3.11 on; what Word
# documents need has one of its own, with the same versions of what both hold.
COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-emit-find-links --custom-compile-command "make lock" --upgrade --quiet
lock:
	$(COMPILE) pyproject.toml --extra build --extra test --output-file requirements.lock
	@$(PYTHON) -c 'import tomllib; extras = tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]; print(*extras["word"], sep="\n")' \
	  | $(COMPILE) - --constraints requirements.lock --output-file requirements-word.lock
