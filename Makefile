# Everything here sets itself up: it needs only make and a Python 3.11 or newer.
#
#   make demo     a realistic workspace of a million contacts, served, with live counts
#   make test     the tests
#   make soak     an hour of random writes, restarts, compactions, kills and flipped bits
#   make check    formatting, lint, types, protos, generated code
#   make bench    Headcount beside seven rivals on the same data, 1M and 10M contacts
#   make bench-full      the same, and 100M contacts: 24 GB of memory, 60 GB of disk
#   make bench-kernels   each kernel on one block, compared with the committed baseline

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PROTO_VENV := .venv-proto
CONTACTS ?= 1000000
WORKERS ?= auto
EXAMPLES ?= 5000

.PHONY: demo test soak test-lowest check lint types proto-check proto bench bench-full bench-kernels clean

demo: $(VENV)/.run
	$(BIN)/headcount demo --contacts $(CONTACTS)

test: $(VENV)/.dev
	$(BIN)/python -m pytest -p no:benchmark -n $(WORKERS) --dist worksteal $(ARGS)

# The state machine of writes, restarts and compactions against the oracle, about an hour of it;
# before it the kills, histories and flipped bits of the tests, many more of them.
soak: $(VENV)/.dev
	HEADCOUNT_HISTORY_SECONDS=120 HEADCOUNT_KILLS=400 HEADCOUNT_FLIPS=1000 $(BIN)/python -m pytest -q -p no:benchmark \
		tests/live/test_history.py tests/live/test_killed_server.py tests/live/test_folder_damage.py
	HEADCOUNT_MACHINE_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -q -p no:benchmark tests/live/test_machine.py

# Installs the lowest version that pyproject.toml allows of everything, and runs the tests on it.
test-lowest: $(VENV)/.dev
	$(BIN)/python tests/packaging/lowest.py --venv .venv-lowest

check: lint types proto-check

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.dev
	$(BIN)/mypy

proto-check: $(VENV)/.dev $(PROTO_VENV)/.tools
	cd proto && ../$(BIN)/buf lint
	cd proto && ../$(BIN)/buf breaking --against breaking-base.binpb
	$(BIN)/python proto/generate.py --check --python $(PROTO_VENV)/bin/python

proto: $(VENV)/.dev $(PROTO_VENV)/.tools
	$(BIN)/python proto/generate.py --python $(PROTO_VENV)/bin/python

bench: $(VENV)/.bench
	$(BIN)/python -m bench --contacts 1000000 --events 10000000 $(ARGS)
	$(BIN)/python -m bench --contacts 10000000 --events 50000000 --only load,questions,bounds,threads,edits $(ARGS)
	$(BIN)/python -m bench.report

bench-full: bench
	$(BIN)/python -m bench --contacts 100000000 --events 200000000 --only load,questions --rivals "ClickHouse,ClickHouse bitmaps,Redis" $(ARGS)
	$(BIN)/python -m bench --contacts 100000000 --events 200000000 --only bounds,threads $(ARGS)
	$(BIN)/python -m bench --contacts 100000000 --events 200000000 --only memory $(ARGS)
	$(BIN)/python -m bench.report

bench-kernels: $(VENV)/.dev
	$(BIN)/python -m bench.kernels $(ARGS)

clean:
	rm -rf $(VENV) .venv-proto .venv-lowest build dist demo-data

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Headcount needs Python 3.11 or newer; found " + sys.version)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@ $(VENV)/.run

$(VENV)/.bench: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	touch $@ $(VENV)/.run

# The generator pins protobuf below what runs here, so it lives in an environment of its own.
$(PROTO_VENV)/.tools:
	$(PYTHON) -m venv $(PROTO_VENV)
	$(PROTO_VENV)/bin/python -m pip install --quiet --disable-pip-version-check grpcio-tools==1.71.2 'setuptools<81'
	touch $@
