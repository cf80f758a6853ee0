# Every command of the house. Needs make (3.81 or later), git and Python 3.11 or later; all else goes into
# .venv and .tools here. The path of the clone must hold no spaces.
SHELL := /bin/sh
PYTHON_HERE := .venv/bin/python
SOURCES := src tests scripts bench examples

# Modules are then compiled once, not at every start.
unexport PYTHONDONTWRITEBYTECODE
# A file of this clone wins over whatever the caller's shell points to.
unexport PYTHONPATH

.DEFAULT_GOAL := help
.PHONY: help setup check test test-all bench docs demo release lock format clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Put Python packages and trimtab itself into .venv (PYTHON=... chooses the interpreter)
	@PYTHON="$(PYTHON)" sh scripts/setup.sh

# The types and the shape of the house are looked at side by side: each keeps one core busy.
# The layers are among tests/architecture, which runs import-linter.
check: setup ## Style, types, layers, shape: under 30 seconds
	@.venv/bin/ruff check $(SOURCES)
	@.venv/bin/ruff format --check $(SOURCES)
	@.venv/bin/mypy & types=$$!; \
	$(PYTHON_HERE) -m pytest tests/architecture -n 2 $(ARGS); shape=$$?; \
	wait $$types && exit $$shape

# Where a test hangs for the four minutes of pyproject.toml, its process ends with every stack; another takes the rest.
test: setup ## The whole test suite, on two processes (ARGS="-k name" narrows it)
	@OMP_NUM_THREADS=1 $(PYTHON_HERE) -m pytest -n 2 --dist worksteal -o faulthandler_exit_on_timeout=true -m "not slow" $(ARGS)

test-all: setup ## The whole test suite and the tests marked slow
	@OMP_NUM_THREADS=1 $(PYTHON_HERE) -m pytest -n 2 --dist worksteal $(ARGS)

bench: setup ## Measure; asserts nothing
	@$(PYTHON_HERE) bench/run.py $(ARGS)

docs: setup ## Draw what docs/ takes from the code: the loop, its picture, the settings
	@$(PYTHON_HERE) scripts/draw_loop.py
	@$(PYTHON_HERE) scripts/list_settings.py

demo: setup ## Play a year of flights: train, serve, watch, retrain, roll back (ARGS=... goes to trimtab demo)
	@.venv/bin/trimtab demo $(ARGS)

release: check test ## Build the wheel and the source archive into dist/
	@rm -rf dist
	@.venv/bin/hatchling build

lock: setup ## Resolve the packages anew and write requirements/*.lock with hashes
	@sh scripts/lock.sh

format: setup ## Let ruff mend what it can
	@.venv/bin/ruff check --fix $(SOURCES)
	@.venv/bin/ruff format $(SOURCES)

clean: ## Remove what make made; stores (.trimtab) and the demo stay
	@rm -rf .venv .tools dist build .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
	@find src tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +
