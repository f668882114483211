# Everything that is done with this repository. `make` alone lists it.
#
# Needs GNU make 4, bash and Python 3.11 or newer. Packages come from wherever pip is configured
# to find them; nothing here names an index.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
# The newest releases may need a newer Python than the lock: NEWEST_PYTHON=python3.13 tests those.
NEWEST_PYTHON ?= $(PYTHON)
SOURCES := hsc catalog pipelines benchmarks deploy docs tests

.PHONY: help demo test style types floors examples tests researcher servers lock format clean python

help:
	@echo "make demo [OUT=dir]   the main job end to end, on this machine, with made-up detector files"
	@echo "make test             every check; one of them: style types floors examples tests researcher"
	@echo "make format           let ruff put the source into shape"
	@echo "make lock             choose new exact versions and write requirements.lock"
	@echo "make servers          install the servers that marked tests need"
	@echo "make clean            remove environments and caches"
	@echo "PYTHON=...            the interpreter to start from (now: $(PYTHON))"

# What users see ---------------------------------------------------------------------------------

demo: .venv/.facility
	@.venv/bin/hsc demo$(if $(OUT), --out "$(OUT)")

test: $(if $(CI),servers) .venv/.dev .venv-lowest/.base .venv-newest/.base
	@tests/steps.sh style types floors examples tests researcher

style types floors examples tests: .venv/.dev
	@tests/steps.sh $@

researcher: .venv/.dev .venv-lowest/.base .venv-newest/.base
	@tests/steps.sh $@

servers:
	@deploy/servers.sh

format: .venv/.dev
	@.venv/bin/ruff check --fix $(SOURCES) || true
	@.venv/bin/ruff format $(SOURCES)

lock: | python
	@fresh=$$(mktemp -d); trap 'rm -rf "$$fresh"' EXIT; \
	echo "Resolving the newest versions that fit pyproject.toml (one to three minutes)"; \
	$(PYTHON) -m venv "$$fresh/venv"; \
	"$$fresh/venv/bin/python" -m pip install --quiet -e '.[dev]' > "$$fresh/log" 2>&1 \
	  || { tail -n 40 "$$fresh/log"; exit 1; }; \
	"$$fresh/venv/bin/python" -m pip check; \
	{ echo "# Exact versions for demo, tests and development; written by \`make lock\`, read by pip as a constraint file."; \
	  "$$fresh/venv/bin/python" -m pip freeze --quiet --exclude-editable | LC_ALL=C sort -f; } > "$$fresh/lock"; \
	if grep -nE '://| @ ' "$$fresh/lock"; then echo "these lines name a place, not a version"; exit 1; fi; \
	cp "$$fresh/lock" requirements.lock; \
	echo "requirements.lock: $$(grep -c == requirements.lock) packages"

clean:
	rm -rf .venv .venv-lowest .venv-newest .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	  .import_linter_cache .grimp_cache build dist demo-output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Environments -----------------------------------------------------------------------------------
# A stamp file stands for "installed as declared", so that a second run starts at once.

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null || { \
	  echo "'$(PYTHON)' is not Python 3.11 or newer; name one, as in: make PYTHON=python3.12 demo"; exit 1; }

.venv-newest/bin/python: PYTHON := $(NEWEST_PYTHON)
%/bin/python: | python
	@$(PYTHON) -m venv $* || { echo "'$(PYTHON) -m venv' failed; on Debian install python3-venv"; \
	  rm -rf $*; exit 1; }

# $(call install,environment,what it is for,arguments for pip)
define install
@echo "Installing $(2) into $(1), once; one to three minutes (log: $(1)/install.log)"
@start=$$SECONDS; $(1)/bin/python -m pip install --quiet --disable-pip-version-check $(3) \
  > $(1)/install.log 2>&1 || { tail -n 40 $(1)/install.log; \
  echo "Installing $(2) failed; the whole log is $(1)/install.log"; exit 1; }; \
echo "Installed in $$((SECONDS - start)) s"
endef

.venv/.facility: pyproject.toml requirements.lock | .venv/bin/python
	$(call install,.venv,what a facility runs,-c requirements.lock -e '.[facility]')
	@touch $@

.venv/.dev: pyproject.toml requirements.lock | .venv/bin/python
	$(call install,.venv,everything that tests need,-c requirements.lock -e '.[dev]')
	@touch .venv/.facility $@

.venv-lowest/.base: pyproject.toml constraints/lowest.txt | .venv-lowest/bin/python
	$(call install,.venv-lowest,the lowest promised versions,-c constraints/lowest.txt . pytest)
	@touch $@

.venv-newest/.base: pyproject.toml | .venv-newest/bin/python
	$(call install,.venv-newest,the newest versions,--upgrade --upgrade-strategy eager . pytest)
	@touch $@
