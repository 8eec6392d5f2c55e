# One command for each task of a developer. `make` lists them.

PYTHON ?= python3
export PYTHON
# Each process of the tests, and each command that they start, would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE
VENV := .venv
BIN := $(VENV)/bin
DOCS := .venv-docs
PEERS := .venv-bench
READY := $(VENV)/.ready
SETUP := sh segue/services/setup-system.sh
UV := uv==0.13.9
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(UPGRADE)

.DEFAULT_GOAL := help
.PHONY: help demo test long wide laws simulate chaos triggers-chaos fuzz refill soak terminal retrain days due
.PHONY: check bench bench-console bench-latency bench-parts bench-train drift browser pictures coverage docs format clean lock venv

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

demo: venv ## the whole service, live, on this machine (set-up included)
	$(BIN)/segue demo

# Several processes, because tests with servers mostly wait. They share a Kafka; each has its own Redis.
# The set-up ends with 3 if it may not install a server. Then the tests that need the server are skipped.
test long wide coverage: venv
	@$(SETUP) default-jre-headless maven redis-server postgresql; missing=$$?; \
	if [ $$missing = 0 ]; then export SEGUE_TEST_REQUIRE_SERVICES=1; \
	elif [ $$missing != 3 ]; then exit $$missing; fi; \
	$(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder \
		-m "$(SELECTED)" $(COVER) $(ARGS)

test: SELECTED := not long and not wide and not browser
test: PROCESSES := 4
test: ## all tests but the long ones, on a real Kafka and Redis (set-up included); ARGS="-k lane" for some
long: SELECTED := long and not wide
long: PROCESSES := 4
long: ## the longest tests: re-keying, release switches, rebuilds
wide: SELECTED := wide
wide: PROCESSES := 4
wide: ## what shows the same as narrower tests, on more data or for longer; `.ci/run` leaves it out

coverage: SELECTED := not long and not wide and not browser
coverage: PROCESSES := 4
coverage: COVER := --cov --cov-report=term:skip-covered
coverage: ## `make test` with the coverage of lines and branches; a low coverage fails

laws: venv ## the property tests with twenty times as many new random examples
	@$(SETUP) postgresql redis-server
	SEGUE_TEST_TIMES=20 $(BIN)/python -m pytest --numprocesses 2 \
		tests/property tests/integration/test_postgres.py $(ARGS)

simulate: venv ## the lanes under 100,000 random series of faults; ARGS="--seed 7 --trace" shows one
	$(BIN)/python -m tests.campaigns.simulation $(ARGS)
	$(if $(ARGS),,$(BIN)/python -m tests.campaigns.trigger_simulation)

chaos: venv ## a million events while servers and workers are killed; ARGS="--seed 7" repeats a run
	@$(SETUP) default-jre-headless maven redis-server
	$(BIN)/python -m tests.campaigns.chaos $(ARGS)

triggers-chaos: venv ## webhooks of a million changes; ARGS="--changes 20000 --faults 20" for less
	@$(SETUP) default-jre-headless maven
	$(BIN)/python -m tests.campaigns.triggers $(ARGS)

fuzz: venv ## 100,000 hostile events among 100,000 good events; ARGS="--seed 7" repeats a run
	@$(SETUP) default-jre-headless maven redis-server
	$(BIN)/python -m tests.campaigns.fuzz $(ARGS)

refill: venv ## rate and memory of `segue rebuild`; ARGS="--events 20000 --users 1000 10000" for less
	@$(SETUP) default-jre-headless maven redis-server
	$(BIN)/python -m tests.campaigns.refill $(ARGS)

soak: venv ## a worker at half load for an hour: nothing may grow; ARGS="--minutes 5" for less
	@$(SETUP) default-jre-headless maven redis-server
	$(BIN)/python -m tests.campaigns.soak $(ARGS)

terminal: venv ## interrupt every command at random moments, then ten demos; ARGS="--demos 0" for none
	@$(SETUP) default-jre-headless maven redis-server
	$(BIN)/python -m tests.campaigns.terminal $(ARGS)

browser: venv ## test the pages in a headless Chromium (set-up included), at several widths
	@$(SETUP) chromium; missing=$$?; \
	if [ $$missing = 0 ]; then export SEGUE_TEST_REQUIRE_BROWSER=1; \
	elif [ $$missing != 3 ]; then exit $$missing; fi; \
	$(BIN)/python -m pytest tests/browser $(ARGS)

pictures: venv ## take the pictures of the documents from a real run, with Chromium (set-up included)
	@$(SETUP) default-jre-headless maven redis-server chromium
	$(BIN)/python -m tests.campaigns.pictures

drift: venv ## false alarms of drift over 52 weeks of thelook, and how soon a shift is seen
	$(BIN)/python -m tests.campaigns.drift $(ARGS)

retrain: venv ## retrain thelook every month, and count the users who move; ARGS="--preset recommended"
	$(BIN)/python -m tests.campaigns.retrain $(ARGS)

days: venv ## a year of thelook, day by day, each user compared on each; ARGS="--days 30 --features rfm"
	$(BIN)/python -m tests.campaigns.days $(ARGS)

due: venv ## a million users due on one day, beside live events; ARGS="--users 20000" for less
	@$(SETUP) default-jre-headless maven redis-server
	$(BIN)/python -m tests.campaigns.due $(ARGS)

check: venv ## format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# A package of a peer that cannot be installed here stops nothing: the table says that the peer was not run.
bench: venv ## Segue beside a bare loop, the article, Quix Streams and Bytewax
	@$(SETUP) default-jre-headless maven redis-server
	@$(MAKE) --no-print-directory $(PEERS)/.ready || echo "The packages of the peers cannot be installed." >&2
	$(BIN)/python -m benchmarks $(ARGS)

bench-latency: venv ## from an event to its change, at three rates, beside a bare loop; ARGS="--seconds 10"
	@$(SETUP) default-jre-headless maven redis-server
	$(BIN)/python -m benchmarks.latency $(ARGS)

bench-console: venv ## what a console with 200 viewers costs a worker; ARGS="--rounds 1" for less
	@$(SETUP) default-jre-headless maven redis-server
	$(BIN)/python -m benchmarks.console $(ARGS)

bench-parts: venv ## each part of the work on an event, beside an alternative
	@$(SETUP) redis-server
	$(BIN)/python -m benchmarks.parts

bench-train: venv ## time and memory of `segue train` and of the article's script, up to a million users
	$(BIN)/python -m benchmarks.training $(ARGS)

docs: $(DOCS)/.ready ## build the documentation into site/; a broken link fails
	NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs build --strict

$(DOCS)/.ready: requirements-docs.lock
	@$(SETUP) python3-venv
	@echo "Setting up the site's packages in $(DOCS), once; this takes a minute…"
	$(PYTHON) -m venv $(DOCS)
	$(DOCS)/bin/python -m pip install --quiet --require-hashes --requirement requirements-docs.lock
	@touch $@

$(PEERS)/.ready: requirements-bench.lock
	@$(SETUP) python3-venv
	@echo "Setting up the peers' packages in $(PEERS), once; this takes a minute…"
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --require-hashes --requirement requirements-bench.lock
	@touch $@

format: venv ## format the code, and fix what ruff can fix
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

venv: $(READY) ## make .venv, with pinned packages

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(SETUP) python3-venv
	@echo "Setting up Python's packages in $(VENV), once; this takes a few minutes…"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(READY)

lock: ## pin the dependencies of pyproject.toml again; UPGRADE=--upgrade takes newer versions
	tmp=$$(mktemp -d) && trap 'rm -rf "$$tmp"' EXIT && $(PYTHON) -m venv $$tmp && \
	$$tmp/bin/pip install --quiet $(UV) && \
	$$tmp/bin/$(COMPILE) --extra worker --extra trainer --extra triggers --extra console --extra registry \
		--extra otel --extra containers --extra dev pyproject.toml --output-file requirements.lock && \
	$$tmp/bin/$(COMPILE) --constraint requirements.lock --extra worker --extra triggers --extra console \
		--extra registry --extra otel pyproject.toml --output-file deploy/worker.lock && \
	$$tmp/bin/$(COMPILE) --constraint requirements.lock --extra worker --extra trainer --extra registry \
		pyproject.toml --output-file deploy/trainer.lock && \
	printf 'setuptools\nsetuptools-scm\n' | \
	$$tmp/bin/$(COMPILE) --constraint requirements.lock - --output-file deploy/build.lock && \
	$$tmp/bin/python -c 'import tomllib; \
	print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["docs"], sep="\n")' | \
	$$tmp/bin/$(COMPILE) --constraint requirements.lock - --output-file requirements-docs.lock && \
	$$tmp/bin/python -c 'import tomllib; \
	print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["bench"], sep="\n")' | \
	$$tmp/bin/$(COMPILE) - --output-file requirements-bench.lock

clean: ## remove all files that make made
	rm -rf $(VENV) $(DOCS) $(PEERS) site build dist *.egg-info \
		.coverage* htmlcov .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
