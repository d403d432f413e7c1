# Two commands are enough: `make demo` and `make test`. They need Python 3.11 or newer and nothing that runs.
# ARGS reaches the program: `make demo ARGS=--no-serve`, `make test ARGS="tests/house -x"`.

PYTHON := $(shell for python in python3.11 python3.12 python3.13 python3.14 python3; do \
	if $$python -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	then echo $$python; break; fi; done)
BIN := .venv/bin
EMBEDDED := TENURE_PROFILE=embedded
# What a production environment looks like, for `check --deploy`; nothing of it exists.
PRODUCTION := TENURE_PROFILE=production PUBLIC_URL=https://tenure.example ALLOWED_HOSTS=tenure.example \
	SECRETS_KEYS=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY= \
	SECRET_KEY=only-for-the-check-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ \
	DATABASE_URL=postgres://tenure_app:x@db.example:5432/tenure CELERY_BROKER_URL=redis://broker.example:6379/0

.PHONY: demo test test-services check bench soak lock clean-demo install-runtime install-dev help

help:
	@echo "make demo      play the story on an embedded PostgreSQL and serve it"
	@echo "make test      run every test, in parallel"
	@echo "make check     lint, types, import contracts, migrations, deployment checks"
	@echo "make bench     the benchmarks, as ratios"
	@echo "make soak      the long proofs"
	@echo "make lock      resolve the dependencies again"
	@echo "make clean-demo  stop the embedded PostgreSQL and remove its data"

demo: install-runtime
	@$(EMBEDDED) $(BIN)/python manage.py demo $(ARGS)

test: install-dev
	@$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

# The same tests on the machine's older PostgreSQL, and those that need its brokers.
test-services: install-dev
	@TENURE_SERVICES=1 DATABASE_URL=$${DATABASE_URL:-postgres://postgres@127.0.0.1:5432/postgres} \
		$(BIN)/python -m pytest -n auto --dist worksteal -m services $(ARGS)

check: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(EMBEDDED) $(BIN)/mypy .
	$(BIN)/lint-imports
	$(EMBEDDED) $(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(BIN)/python -W error manage.py check --deploy --fail-level WARNING

bench: install-dev
	@$(EMBEDDED) $(BIN)/python -m benchmarks $(ARGS)

soak: install-dev
	@HYPOTHESIS_PROFILE=soak TENURE_SOAK=1 TENURE_SOAK_EXAMPLES=10000 TENURE_SOAK_ROUNDS=200 TENURE_SOAK_SECONDS=600 \
		$(BIN)/python -m pytest -n auto --dist worksteal -m soak $(ARGS)

lock: install-dev
	$(BIN)/uv pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-header --no-emit-index-url \
		--upgrade pyproject.toml -o requirements/runtime.txt
	$(BIN)/uv pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-header --no-emit-index-url \
		--upgrade --extra dev -c requirements/runtime.txt pyproject.toml -o requirements/dev.txt

clean-demo:
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m foundation.embedded remove; else echo "Nothing is installed, so nothing runs."; fi

# The tests' dependencies include those of the program: either installation serves it. A kept copy of the installed lock tells
# whether it has changed.
install-runtime: .venv/bin/python
	@cmp -s requirements/runtime.txt .venv/installed-runtime.txt || { \
		echo "Installing the locked dependencies into .venv."; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.txt && \
		cp requirements/runtime.txt .venv/installed-runtime.txt; }

install-dev: .venv/bin/python
	@cmp -s requirements/dev.txt .venv/installed-dev.txt || { \
		echo "Installing the locked dependencies and those of the tests into .venv."; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt && \
		cp requirements/dev.txt .venv/installed-dev.txt; }

.venv/bin/python:
	@if [ -z "$(PYTHON)" ]; then \
		echo "No Python 3.11 or newer with venv was found on PATH. Install one, or put it first on PATH."; exit 1; fi
	@$(PYTHON) -m venv .venv
