# One environment, in two steps: what runs exported models (`make demo`), then everything else (`make test`). `make help` lists the targets.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
LIGHT := $(VENV)/.light
FULL := $(VENV)/.full
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# Of `make demo`: what to run on (nothing: a clip that the demo renders), other models than the bundled ones, where results go.
# VIDEO is the older name of SOURCE.
VIDEO ?=
SOURCE ?= $(VIDEO)
WEIGHTS ?=
OUTPUT ?= output/demo

# Of `make test`: processes, of one thread each. Threads that share a core with another process wait for each other.
JOBS ?= 2
# The packages that count pixels, or run where nobody watches: their tests reach 95 % of their lines (`make coverage`, and CI).
COVERED := core codecs geometry skeletons inference
COVERAGE ?=

# Of `make fuzz`: seconds per reader, and which readers (none: all). Of `make mutants`: how many.
SECONDS ?= 300
READERS ?=
MUTANTS ?= 200

.PHONY: help env demo test test-slow lint coverage fuzz mutants audit lock clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(LIGHT): requirements-deploy.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 9))' || \
	  { echo "error: $(PYTHON) is older than Python 3.9: give a newer one, for example make $(MAKECMDGOALS) PYTHON=python3.11" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "error: $(PYTHON) cannot make a virtual environment: install its venv module (Debian: apt install python3-venv)" >&2; exit 2; }
	$(PIP) --upgrade 'pip>=22'
	$(PIP) -r requirements-deploy.txt
	@touch $@

$(FULL): $(LIGHT) requirements.txt requirements-engines.txt requirements-serve.txt requirements-dev.txt
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info >= (3, 13))' || \
	  { echo "error: PaddlePaddle has no package for this Python yet: make clean, then make $(MAKECMDGOALS) PYTHON=python3.12 (3.9 to 3.12)" >&2; exit 2; }
	$(PIP) -r requirements.txt -r requirements-engines.txt -r requirements-serve.txt -r requirements-dev.txt
	@touch $@

env: $(FULL)  ## make the environment for training and tests (.venv)

demo: $(LIGHT)  ## people with skeletons: SOURCE=video|image|folder|URL|0 WEIGHTS=folder-or-URL OUTPUT=folder
	@$(BIN)/python tools/demo.py --output_dir "$(OUTPUT)" $(if $(SOURCE),--source "$(SOURCE)") $(if $(WEIGHTS),--weights "$(WEIGHTS)")

test: $(FULL)  ## the fast tests; COVERAGE=1: and fail if they miss lines of the packages that must be covered
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile $(if $(COVERAGE),$(COVERED:%=--cov=ppdet/%) --cov-report=)
	$(if $(COVERAGE),@$(covered))

define covered
status=0; for package in $(COVERED); do echo; echo "ppdet/$$package"; $(BIN)/python -m coverage report \
  --include="ppdet/$$package/*" --skip-covered --fail-under=95 || status=1; done; exit $$status
endef

test-slow: $(FULL)  ## the slow tests: real training, real evaluation
	$(BIN)/python -m pytest -q -m slow

lint: $(FULL)  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/mypy

coverage:  ## the fast tests with their coverage by package; fails below 95 % in those that count pixels
	@$(MAKE) test COVERAGE=1

fuzz: $(FULL)  ## readers of files against damaged files, guided by coverage: SECONDS=300 READERS="cvat dicom"
	$(PIP) -r requirements-fuzz.txt
	OMP_NUM_THREADS=1 $(BIN)/python tests/fuzzing/fuzz.py $(READERS) --seconds $(SECONDS)

mutants: $(FULL)  ## do the tests of the codecs notice changed lines? MUTANTS=200
	OMP_NUM_THREADS=1 $(BIN)/python tests/mutants/run.py --count $(MUTANTS)

audit: $(LIGHT)  ## known vulnerabilities of the locked packages (needs the network)
	$(PIP) pip-audit
	$(BIN)/pip-audit --requirement requirements-lock.txt --require-hashes --disable-pip

lock: $(LIGHT)  ## write requirements-lock.txt anew: versions and hashes of all packages of the deployed commands and the service
	$(PIP) uv
	$(BIN)/uv pip compile requirements-deploy.txt requirements-serve.txt --universal --python-version 3.9 --generate-hashes -q \
	  -o requirements-lock.txt

clean:  ## remove the environment and caches
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache
