# What `make` can do is printed by `make help`. Two environments matter: .venv (the server and the tools) and one
# .venv-NAME for each client library of the tests that wants versions of its own. Both come from the locks in
# requirements/, and a stamp file in each says which lock it holds, so nothing is installed twice.

VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check
CLIENTS := $(patsubst requirements/clients-%.txt,%,$(wildcard requirements/clients-*.txt))
CLIENT_STAMPS := $(CLIENTS:%=.venv-%/.installed)
# One environment for every Python from 3.11 on, and no trace of where the packages came from.
COMPILE = .venv-lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: help serve test lint bench bench-peers screenshots reference site lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

serve: $(VENV)/.serve ## Start the server; flags go in ARGS="--port 9400"
	@exec $(BIN)/stanchion serve $(ARGS)

test: lint $(CLIENT_STAMPS) ## Check style and types, then run every test; ARGS go to pytest
	@tests/support/install-debian
	@$(BIN)/pytest --numprocesses auto $(ARGS)

lint: $(VENV)/.test ## Check style and types only
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: $(VENV)/.test ## Measure on this machine; ARGS go to benchmarks/run.py
	@$(BIN)/python benchmarks/run.py $(ARGS)

bench-peers: $(VENV)/.test ## Measure beside other servers, which it installs; ARGS go to benchmarks/peers.py
	@$(BIN)/python benchmarks/peers.py $(ARGS)

screenshots: $(VENV)/.test ## Make the pictures of the console in docs/images anew
	@$(BIN)/python docs/screenshots.py

reference: $(VENV)/.test ## Write docs/reference from the declarations anew
	@$(BIN)/python docs/generate.py

site: $(VENV)/.test ## Build the documentation into build/site
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

lock: .venv-lock/.installed ## Renew every lock in requirements/
	$(COMPILE) pyproject.toml requirements/serve.in --output-file requirements/serve.txt
	$(COMPILE) --extra test pyproject.toml requirements/serve.in requirements/test.in \
	    --output-file requirements/test.txt
	for name in $(CLIENTS:%=clients-%) lock; do \
	    $(COMPILE) requirements/$$name.in --output-file requirements/$$name.txt || exit 1; \
	done

clean: ## Remove everything that was installed or built
	rm -rf .venv .venv-* benchmarks/.peers build dist tests/clients/java/target .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name node_modules -prune -exec rm -rf {} +
	find . -name __pycache__ -prune -exec rm -rf {} +

%/bin/python:
	@python=$$(requirements/find-python) && $$python -m venv $*

$(VENV)/.serve $(VENV)/.test: $(VENV)/.%: requirements/%.txt pyproject.toml | $(BIN)/python
	@echo "Installing requirements/$*.txt into $(VENV)"
	@$(BIN)/python $(PIP_INSTALL) --require-hashes --requirement requirements/$*.txt
	@$(BIN)/python $(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

.venv-%/.installed: requirements/clients-%.txt | .venv-%/bin/python
	@echo "Installing $< into .venv-$*"
	@.venv-$*/bin/python $(PIP_INSTALL) --require-hashes --requirement $<
	@touch $@

.venv-lock/.installed: requirements/lock.txt | .venv-lock/bin/python
	@.venv-lock/bin/python $(PIP_INSTALL) --require-hashes --requirement $<
	@touch $@
