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
EXTRAS := dask test uv word
UPGRADE ?= --upgrade
COMPILE = uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-emit-find-links --custom-compile-command "make lock" --quiet $(UPGRADE)

.PHONY: reports word test test-slow lab bench reconstruction lint lock dependencies test-oldest test-newest
.DEFAULT_GOAL := reports

reports: $(READY)
	@$(BIN)/python -m helpers render $(ARGS)

word: $(READY)-word
	@$(BIN)/python -m helpers word $(ARGS)

test: $(READY)-test
	@$(BIN)/python -m pytest -m "not slow" -n auto --dist loadfile $(ARGS)

test-slow: $(READY)-test
	@$(BIN)/python -m pytest -m slow -n auto $(ARGS)

lab: $(READY)
	@$(BIN)/jupyter lab --ServerApp.root_dir="$(CURDIR)" --LabApp.default_url=/lab/tree/notebooks/welcome.ipynb

bench: $(READY)-test
	@$(BIN)/python tests/bench.py
	@$(BIN)/python tests/bench_reports.py $(ARGS)
	@$(BIN)/python tests/bench_many.py

# Minutes: searches the reconstructed sheet anew. Its result is committed.
reconstruction: $(READY)
	@$(BIN)/python data/sci_exosomes/reconstruct.py $(ARGS)

lint: $(READY)-test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

# The environment follows the locks and the project; marks say what of it is complete.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) .ci/locks/install.py

# What an extra adds: .venv/.ready-test by .ci/locks/test.lock.
$(READY)-%: .ci/locks/%.lock $(READY)
	@$(PYTHON) .ci/locks/install.py $*

# Needs uv. Locks for Linux, macOS and Windows, and for every Python from 3.11 on. An extra's lock
# has what it needs, at the versions of requirements.lock where both name a package.
lock:
	$(COMPILE) pyproject.toml --extra build --output-file requirements.lock
	for extra in $(EXTRAS); do \
	  $(PYTHON) .ci/locks/extra.py $$extra | $(COMPILE) - --constraint requirements.lock \
	    --output-file .ci/locks/$$extra.lock || exit 1; \
	done

# Needs uv. The licences of all that is locked, whatever system or Python it is for.
dependencies:
	@set -e; kept=$$(mktemp -d); trap 'rm -rf "$$kept"' EXIT; \
	for system in linux-3.11 linux-3.12 macos-3.11 windows-3.11; do \
	  uv pip install --quiet --no-deps --only-binary :all: --target "$$kept/$$system" \
	    --python-platform $${system%-*} --python-version $${system#*-} \
	    -r requirements.lock $(foreach extra,$(EXTRAS),-r .ci/locks/$(extra).lock); \
	done; \
	$(PYTHON) .ci/locks/licences.py "$$kept"/* > docs/dependencies.md

# Needs uv. The tests with the oldest versions that pyproject.toml allows, and with the newest.
# What a dependency says of a newer one is no fault of the project.
DEPRECATED := $(foreach kind,Deprecation PendingDeprecation Future,-W default::$(kind)Warning)
test-oldest: RESOLUTION := lowest-direct
test-newest: RESOLUTION := highest
test-oldest test-newest:
	uv venv --quiet --clear --python $(PYTHON) build/$@
	uv pip install --python build/$@ --resolution $(RESOLUTION) --editable ".[build,dask,test,word]"
	build/$@/bin/python -m pytest -m "not slow" $(DEPRECATED) $(ARGS)
