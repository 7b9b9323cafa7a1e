# Huitang's commands. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := build/stamps
CLIENT := web/client

PLANE_SOURCES := $(wildcard media/plane/*.pyx media/plane/*.pxd media/plane/*.pxi media/plane/*.h bench/*.pyx)
CLIENT_SOURCES := $(shell find $(CLIENT) locales -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
PROGRAM := commands.py config.py config_sections.py errors.py ids.py localization.py logs.py metering.py node.py recording_commands.py server.py startup.py welcome.py database media members recordings rooms signaling web
PACKAGES := $(PROGRAM) tests bench

# Tests often wait for something, and installers for a registry, so one more than there are processors; each worker of
# the tests brings a PostgreSQL and a Chromium along.
WORKERS := $(shell processors=$$(nproc); echo $$((processors < 8 ? processors + 1 : 8)))
# Several at once, each one's output in one piece.
ALONGSIDE := --no-print-directory --jobs=$(WORKERS) --output-sync=line
# Else every worker would compile all tests, and whoever starts a program the program.
unexport PYTHONDONTWRITEBYTECODE
# What was measured, as it is.
SHOWN := -o log_cli=true -o log_cli_level=INFO

.PHONY: help setup serve test python-tests beside-tests undisturbed-tests bytecode collection check check-python check-types check-client client-tests test-firefox shaped bench bench-join bench-peers bench-recordings bench-seek fuzz format lock screenshots clean
.DELETE_ON_ERROR:

help: ## list these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-17s %s\n", $$1, $$2}'

setup: ## system packages, .venv, native data plane, browser client
	@$(MAKE) $(ALONGSIDE) $(STAMPS)/plane $(STAMPS)/client bytecode

serve: setup ## set up what is missing, then serve with a demo organization on http://localhost:8080
	@exec $(BIN)/python server.py serve --demo

test: ## everything CI runs: checks, unit, protocol, browser and fuzz tests
	@$(MAKE) $(ALONGSIDE) $(STAMPS)/plane $(STAMPS)/test-venv $(STAMPS)/probes $(STAMPS)/test-packages $(STAMPS)/client bytecode client-tests check-python collection
	@$(MAKE) --no-print-directory --jobs=2 python-tests beside-tests
	@$(MAKE) --no-print-directory undisturbed-tests

python-tests: $(STAMPS)/test-venv
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not (shaped and browser)"

beside-tests: # what needs nothing but time, with a tenth of the processors: with less, pytest would be done first and wait for it; each says what it has to say in one piece
	@nice -n 5 $(MAKE) --no-print-directory --output-sync=recurse check-types check-client fuzz SECONDS=20

undisturbed-tests: $(STAMPS)/test-venv # what measures real time on real lines, while nothing else runs
	$(BIN)/python -m pytest $(SHOWN) -m browser tests/shaped

check: ## format, lint, types, architecture
	@$(MAKE) $(ALONGSIDE) check-types check-client check-python

check-python: $(STAMPS)/test-venv
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

check-types: $(STAMPS)/test-venv
	$(BIN)/mypy $(PACKAGES)

check-client: $(STAMPS)/node-modules
	cd $(CLIENT) && ../../tools/node.sh npm run --silent check

client-tests: $(STAMPS)/node-modules
	cd $(CLIENT) && ../../tools/node.sh npm run --silent test

test-firefox: setup $(STAMPS)/test-venv ## meetings among Debian's Firefox, which it installs, and Chromium
	@tools/system-packages.sh firefox
	$(BIN)/python -m pytest tests/browser/test_firefox.py

shaped: setup $(STAMPS)/test-venv $(STAMPS)/test-packages ## real subscribers on real poor lines alone, with what they had; root, because it makes network namespaces
	HUITANG_TEST_LONG=1 $(BIN)/python -m pytest $(SHOWN) tests/shaped

format: $(STAMPS)/test-venv $(STAMPS)/node-modules ## put every file into the project's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	cd $(CLIENT) && ../../tools/node.sh npm run --silent format

bench: setup ## forwarding cost, latency, loss and memory beside the floor of this machine; writes build/bench.json
	$(BIN)/python -m bench

bench-peers: setup ## the same beside Debian's Janus, which it installs; root, because it makes network namespaces
	@tools/system-packages.sh peers
	$(BIN)/python -m bench.peers

bench-recordings: setup ## capture, composition, a meeting meanwhile, and 200 viewers of one film
	$(BIN)/python -m bench.recordings

bench-join: setup $(STAMPS)/test-venv $(STAMPS)/test-packages ## from the click that joins to the first picture, in Chromium with nine others
	$(BIN)/python -m bench.joining

bench-seek: setup $(STAMPS)/test-venv $(STAMPS)/test-packages ## from a seek in a film of two hours to its picture, in Chromium
	$(BIN)/python -m tests.browser.seeking

fuzz: $(STAMPS)/test-venv ## fuzz every parser of packets, checks and streams, the plane under two sanitizers (SECONDS=60 of a processor)
	$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),60)

screenshots: $(STAMPS)/plane $(STAMPS)/client $(STAMPS)/test-packages ## take the README's screenshots anew
	$(BIN)/python -m tests.browser.screenshots

lock: $(STAMPS)/test-venv ## write requirements/lock.txt from what is installed
	@{ head -n 1 requirements/lock.txt; $(BIN)/pip freeze --exclude pip; } > build/lock.txt && mv build/lock.txt requirements/lock.txt

clean: ## remove everything built (the data folder stays)
	rm -rf build $(VENV) $(CLIENT)/node_modules $(CLIENT)/dist media/plane/*.so bench/*.so tests/media/plane/*.so

$(STAMPS)/run-packages: tools/system-packages.sh
	@tools/system-packages.sh run
	@mkdir -p $(@D) && touch $@

$(STAMPS)/test-packages: tools/system-packages.sh | $(STAMPS)/run-packages # apt does one thing at a time
	@tools/system-packages.sh test
	@mkdir -p $(@D) && touch $@

$(STAMPS)/build-venv: requirements/build.txt requirements/lock.txt | $(STAMPS)/run-packages # alone, so that compilers need not wait for the rest
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing Python packages into $(VENV)"
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements/build.txt -c requirements/lock.txt
	@mkdir -p $(@D) && touch $@

$(STAMPS)/venv: requirements/run.txt requirements/lock.txt $(STAMPS)/build-venv
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements/run.txt -c requirements/lock.txt
	@mkdir -p $(@D) && touch $@

$(STAMPS)/test-venv: requirements/test.txt requirements/lock.txt $(STAMPS)/venv
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements/test.txt -c requirements/lock.txt
	@mkdir -p $(@D) && touch $@

$(STAMPS)/plane: setup.py $(PLANE_SOURCES) $(STAMPS)/build-venv
	@echo "Compiling the data plane"
	@mkdir -p build && $(BIN)/python setup.py --quiet build_ext --inplace > build/plane.log 2>&1 || { cat build/plane.log >&2; exit 1; }
	@mkdir -p $(@D) && touch $@

# Who runs the server may not write beside its sources: without these files it would compile them at each start.
# (web/client holds no Python, but many folders.)
bytecode: $(STAMPS)/venv
	@$(BIN)/python -m compileall -q -j 0 $(PROGRAM:web=web/*.py web/api)

$(STAMPS)/probes: setup.py $(PLANE_SOURCES) $(wildcard tests/media/plane/*.pyx) $(STAMPS)/build-venv
	@echo "Compiling what opens the data plane to its tests"
	@mkdir -p build && $(BIN)/python -m tests.media.plane.probes
	@mkdir -p $(@D) && touch $@

# Once, before several workers want it: half of what it takes to begin is to prepare the tests' assertions.
collection: $(STAMPS)/plane $(STAMPS)/probes $(STAMPS)/test-venv
	@mkdir -p build && $(BIN)/python -m pytest --collect-only --quiet > build/collection.log || { tail -n 50 build/collection.log; exit 1; }

$(STAMPS)/node-modules: $(CLIENT)/package.json $(CLIENT)/package-lock.json $(STAMPS)/build-venv
	@echo "Installing the browser client's packages"
	@cd $(CLIENT) && ../../tools/node.sh npm ci --silent --no-audit --no-fund
	@mkdir -p $(@D) && touch $@

$(STAMPS)/client: $(CLIENT_SOURCES) $(STAMPS)/node-modules
	@echo "Building the browser client"
	@cd $(CLIENT) && ../../tools/node.sh npm run --silent build
	@mkdir -p $(@D) && touch $@
