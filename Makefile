# Needs Python and make. Every verb makes what it needs in .venv, and does so once.
PYTHON ?= python3
JOBS ?= 2

VENV := .venv
BIN := $(VENV)/bin
PACKAGES := . plugins/sqs plugins/kinesis plugins/dynamodb plugins/kafka plugins/mq plugins/firehose plugins/s3batch \
	plugins/pipes plugins/envelopes plugins/testing plugins/local plugins/deadletter plugins/emf plugins/logs plugins/otel \
	plugins/sentry
METADATA := $(PACKAGES:%=%/pyproject.toml)
# No .pyc at installation: it takes half of the time, and most of them are never read.
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input -qq install --no-compile

# It speaks of its successors at each start otherwise.
MKDOCS := NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs

export PYTHONUTF8 := 1
unexport PYTHONPATH VIRTUAL_ENV
.DEFAULT_GOAL := help
.PHONY: help demo test test-all check format bench bench-check docs docs-serve wheels clean

help: ## print this
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r verb text; do \
	    printf '  make %-11s %s\n' "$$verb" "$$text"; done

demo: $(VENV)/demo ## run a function against a real queue and count every order (BREAK=response: see losses found)
	@$(BIN)/batchcore demo --app examples/orders/app.py:lambda_handler $(if $(BREAK),--break $(BREAK))

test: check ## run every check, and the tests that tell of a broken promise: under three minutes
	$(BIN)/pytest -n $(JOBS) -q --quick

test-all: check ## run every check and every test, with coverage: nine minutes
	$(BIN)/pytest -n $(JOBS) --cov --cov-report=term

check: $(VENV)/dev ## run the linter, the formatter's check and both type checkers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	@# The type checkers take a core each.
	$(BIN)/mypy & mypy=$$!; $(BIN)/pyright --pythonpath $(BIN)/python; pyright=$$?; wait $$mypy && exit $$pyright

format: $(VENV)/dev ## format the code and sort imports
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format

bench: $(VENV)/dev ## measure beside Powertools and a bare loop, with the budgets: seven minutes
	@$(BIN)/python -m benchmarks

bench-check: $(VENV)/dev ## compare the instructions of each batch and record with those kept: a quarter of a minute
	@$(BIN)/python -m benchmarks.check

docs: $(VENV)/docs ## build the site of the documentation into build/site, strictly: half a minute
	@$(MKDOCS) build --config-file website/mkdocs.yml --strict
	@echo "build/site/index.html"

docs-serve: $(VENV)/docs ## serve the site on this machine, and build it anew whenever a page changes
	@$(MKDOCS) serve --config-file website/mkdocs.yml

wheels: $(VENV)/dev ## build every distribution into dist/
	@rm -rf dist
	@for package in $(PACKAGES); do \
	    said=$$($(BIN)/python -m build --no-isolation --outdir dist $$package 2>&1) || { echo "$$said"; exit 1; }; done
	@ls dist/*.whl | sed -E 's#dist/([^-]+)-([^-]+)-.*#\1==\2#; s/_/-/g' >dist/constraints.txt
	@ls dist/*.whl

clean: ## remove the environment, caches and builds
	rm -rf $(VENV) build .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage* dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One environment, filled in two steps: what the demo needs, then everything. The pins of the first are among the second.
$(VENV)/made:
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/demo: $(VENV)/made requirements/demo.txt $(METADATA)
	@echo "Installing what the demo needs"
	@$(PIP) --require-hashes -r requirements/demo.txt
	@$(PIP) --no-deps --no-build-isolation $(PACKAGES:%=-e %)
	@touch $@

$(VENV)/dev: $(VENV)/demo requirements/dev.txt
	@echo "Installing what the tests need"
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

# Reads the packages and does not import them, so that it takes nothing of the two above.
$(VENV)/docs: $(VENV)/made requirements/docs.txt
	@echo "Installing what the site needs"
	@$(PIP) --require-hashes -r requirements/docs.txt
	@touch $@
