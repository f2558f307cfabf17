# Needs Python 3.11 or newer with pip; everything else is installed into .venv, pinned by requirements.lock.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PIP := .venv/bin/python -m pip
# On all cores; and done here because where PYTHONDONTWRITEBYTECODE is set no later run would do it.
COMPILE := .venv/bin/python -m compileall -q -j 0
UV_VERSION := 0.13.9
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo ui screenshots test check fix eval bench lock clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' Makefile

setup: .venv/installed ## build .venv, with .venv/bin/assistant in it

.venv/locked: requirements.lock
	@echo "Setting up .venv: a minute or two, once"
	$(PYTHON) -m venv --clear .venv
	$(PIP) install --quiet --no-compile --no-deps --require-hashes -r requirements.lock
	-$(COMPILE) -x '/tests/' .venv/lib
	@touch $@

.venv/installed: .venv/locked pyproject.toml
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	$(COMPILE) assistant eval prompts ui
	@touch $@

demo: setup ## load the sample digest into a fresh home and ask it a question
	@rm -rf .demo
	@ASSISTANT_HOME=.demo .venv/bin/assistant demo

ui: setup ## open the web app
	.venv/bin/assistant ui

screenshots: setup ## draw the pictures of the web app anew (needs Debian's chromium)
	.venv/bin/python tests/ui/screenshots.py docs/images

# One worker more than there are cores: many tests wait for another process.
test: setup ## run the tests, with branch coverage
	OPENBLAS_NUM_THREADS=1 .venv/bin/pytest -n $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --dist worksteal --cov --cov-report=term

check: setup ## lint, format, types, layers, spelling; changes nothing
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo
	.venv/bin/typos

fix: setup ## mend what ruff can mend
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

eval: setup ## run the digest questions, compare with the baseline, print the table of measures
	.venv/bin/python -m eval

bench: setup ## measure speed and memory against yardsticks in the same run (the web app's with Debian's chromium)
	.venv/bin/python -m eval.bench
	.venv/bin/python tests/ui/speed.py

lock: ## pin the newest versions pyproject.toml allows into requirements.lock
	test -x .lock/bin/uv || { $(PYTHON) -m venv .lock && .lock/bin/pip install --quiet uv==$(UV_VERSION); }
	.lock/bin/uv pip compile pyproject.toml --group dev --group setup --universal --python-version 3.11 \
		--upgrade --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet -o requirements.lock

clean: ## remove everything the targets above made
	rm -rf .venv .lock .demo .axe dist .coverage .coverage.* .hypothesis .import_linter_cache \
		.mypy_cache .pytest_cache .ruff_cache
	find assistant eval tests ui -name __pycache__ -prune -exec rm -rf {} +
