# Two commands on a fresh machine:  make demo   make test
# Settings: PORT, HOST, HOSPITAL_HOME (data folder), SCALE=small|large|none, DATABASE_URL, REDIS_URL, PYTHON.

VENV := .venv
BIN := $(VENV)/bin
TESTS ?= tests
WORKERS ?= 2
# Our own test database is thrown away when the schema changed; about yours we can't know.
REUSE := $(if $(DATABASE_URL),--create-db,--reuse-db)
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) $(REUSE)

# A dozen processes read the same thousand modules: each is compiled once.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test lint check bench format messages clean

help:
	@echo "make demo    the hospital on http://127.0.0.1:8000, until Ctrl-C (PORT=8001, SCALE=large)"
	@echo "make test    every test (TESTS=tests/consult for some)"
	@echo "make lint    format, lint, layers, deployment checks, migrations, templates"
	@echo "make check   lint and tests, with the coverage gate on the domain"
	@echo "make messages  the English catalogue brought up to the sources, and what still lacks English"
	@echo "make bench   measured figures into bench/results.json"

demo: $(VENV)/.runtime
	@exec $(BIN)/python -m hospital.embedded demo

test: $(VENV)/.dev
	@sh .ci/chromium
	$(PYTEST) $(TESTS)

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/djlint templates --lint --quiet
	$(BIN)/python -m hospital.embedded run --cluster lint -- sh .ci/django-checks $(BIN)/python

check: lint
	@sh .ci/chromium
	$(PYTEST) --cov --cov-report= tests
	$(BIN)/coverage report --include='*/services/*,*/policies.py,*/policies/*' --fail-under=95 --show-missing --skip-covered

bench: $(VENV)/.dev
	$(BIN)/python -m hospital.embedded run --cluster bench -- $(BIN)/python -m bench

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

messages: $(VENV)/.dev
	$(BIN)/python -m hospital.embedded run --cluster lint -- $(BIN)/python manage.py catalogue

# The data folder stays: its keys and its hospital are not ours to throw away.
clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .coverage

$(VENV)/.runtime: requirements.txt .ci/environment
	@sh .ci/environment $(VENV) requirements.txt
	@touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt .ci/environment
	@sh .ci/environment $(VENV) requirements-dev.txt
	@touch $@ $(VENV)/.runtime
