# One environment for everything, made on first use. `make help` lists the targets.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SHARED := $(wildcard ../shared/data/weights)
# Weights of `make demo`: a folder or a URL that holds the two .pdparams files; see docs/demo.md.
WEIGHTS ?= $(if $(SHARED),$(SHARED),https://bj.bcebos.com/v1/paddledet/models/keypoint/tinypose_enhance)
VIDEO ?=
OUTPUT ?= output/demo

.PHONY: help env demo test test-slow lint clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(STAMP): requirements.txt requirements-engines.txt requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -r requirements.txt -r requirements-engines.txt -r requirements-dev.txt
	touch $@

env: $(STAMP)  ## make the environment (.venv)

demo: $(STAMP)  ## people with skeletons in a video: WEIGHTS=folder-or-URL VIDEO=file OUTPUT=folder
	$(BIN)/python tools/demo.py --weights "$(WEIGHTS)" --output_dir "$(OUTPUT)" $(if $(VIDEO),--video_file "$(VIDEO)")

test: $(STAMP)  ## the fast tests
	$(BIN)/python -m pytest -q

test-slow: $(STAMP)  ## the slow tests: real training, real evaluation
	$(BIN)/python -m pytest -q -m slow

lint: $(STAMP)  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/mypy

clean:  ## remove the environment and caches
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache
