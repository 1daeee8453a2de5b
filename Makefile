# Everything a person types. `make` alone lists the targets.
export DO_NOT_TRACK = true
export KEDRO_DISABLE_TELEMETRY = true
export MLFLOW_DISABLE_TELEMETRY = true
export OMP_WAIT_POLICY = passive
export GOMP_SPINCOUNT = 1000

ifneq ($(MLFLOW_TRACKING_URL),)
export MLFLOW_TRACKING_URI ?= $(MLFLOW_TRACKING_URL)
endif

PYTHON ?= python3.11
BIN := .venv/bin
IMAGE ?= grocery-demand
SPHINX = $(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --fresh-env \
  --conf-dir docs --doctree-dir build/docs
refuse_other_python = $(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || \
  { echo "Python 3.11 is needed, and \`$(PYTHON)\` is none: install it, or name it with make PYTHON=/path/to/python3.11" >&2; exit 1; }
KEDRO_RUN = $(BIN)/kedro run $(if $(PARAMS),--params '$(PARAMS)')

# What builds images, and what it is told besides; compose asks for Docker or Podman.
BUILDER ?= $(firstword $(foreach name,docker podman buildah,$(shell command -v $(name))) docker)
BUILD_OPTIONS ?=
export COMMIT ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
export DIRTY ?= $(shell test -z "$$(git status --porcelain 2>/dev/null)" && echo false || echo true)
BUILD := $(BUILDER) build $(if $(findstring docker,$(firstword $(BUILDER))),,--format docker) $(BUILD_OPTIONS)
COMPOSE ?= docker compose
PUBLICATION ?= data/07_model_output/publication

.PHONY: help setup tools run repro loop test check format lock docs serve viz ui notebook clean \
  data train gate verdict publish deploy smoke rollback stop release lineage \
  pictures image image-with-model up down in-git

help:  ## List the targets
	@echo "Begin with make run, then make serve. The single commands: .venv/bin/kedro --help"
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: .venv/ready  ## Install everything into .venv, at the versions of requirements.lock

.venv/ready: requirements.lock pyproject.toml
	@$(refuse_other_python)
	@echo "Setting up .venv (one to two minutes) …"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

tools: .tools/ready  ## Install DVC and the checkers of delivery files into .tools

.tools/ready: tools/requirements.lock
	@$(refuse_other_python)
	@echo "Setting up .tools (half a minute) …"
	@$(PYTHON) -m venv .tools
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r tools/requirements.lock
	@touch $@

run: setup  ## Run the whole loop on the sample: preprocess, train, gate, forecast, report
	$(BIN)/kedro run

repro: in-git setup tools  ## Run by DVC what data, code or parameters have changed for
	PATH="$(CURDIR)/$(BIN):$$PATH" .tools/bin/dvc repro

in-git:
	@git rev-parse --git-dir >/dev/null 2>&1 || { echo "DVC works in a git repository, and this folder is in none: \
	clone the project instead of unpacking an archive. Without git: make run" >&2; exit 1; }

loop: setup  ## Play the closed loop on simulated days; DAYS=10 STORES=5 ITEMS=100: a smaller one
	$(BIN)/kedro rehearse $(if $(DAYS),--quiet-days $(DAYS) --recovered-days $(DAYS)) \
	  $(if $(STORES),--stores $(STORES)) $(if $(ITEMS),--items $(ITEMS))

test: setup tools  ## Run all tests, or those of TESTS=path
	$(BIN)/python -m pytest $(or $(TESTS),--numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder)

check: setup  ## Run the linters, the type checker and the layer contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup  ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: setup  ## Pin the newest allowed versions in requirements.lock
	$(BIN)/uv pip compile --python-version 3.11 --all-extras --no-header --upgrade \
	  pyproject.toml --output-file requirements.lock
	$(BIN)/uv pip compile --python-version 3.11 --no-header --upgrade \
	  tools/requirements.in --output-file tools/requirements.lock

# Sphinx is told nothing of this machine; the search says so if it writes of it all the same.
docs: setup  ## Build the documentation in build/site; NOTEBOOKS=run runs them, LINKS=check asks the web
	rm -rf build/site
	NOTEBOOKS=$(NOTEBOOKS) $(SPHINX) -b html . build/site
	! grep -rl '$(CURDIR)' build/site
	$(if $(LINKS),$(SPHINX) -b linkcheck . build/links)

data: setup  ## Check the raw files and make the panel (PARAMS=group.name=value,… as of kedro run)
	$(KEDRO_RUN) --pipeline preprocess

train: setup  ## Train a challenger on the panel
	$(KEDRO_RUN) --pipeline fit

gate: setup  ## Judge the challenger; fail if it misses a bar, promote it if it is better
	$(KEDRO_RUN) --pipeline promote

verdict: setup  ## Print the gate's last verdict as Markdown
	$(BIN)/kedro verdict

publish: setup  ## Forecast with the champion, write report and model card, hand it to the web app
	$(KEDRO_RUN) --pipelines forecast,report

deploy: setup  ## Start or replace the web app in the background; DEPLOY=kubernetes TAG=… in a cluster
	$(BIN)/kedro deploy $(if $(DEPLOY),--to $(DEPLOY)) $(if $(TAG),--image $(IMAGE):$(TAG)) \
	  $(if $(OVERLAY),--overlay $(OVERLAY)) $(if $(PORT),--port $(PORT)) \
	  $(if $(FROM),--publication $(FROM))

smoke: setup  ## Ask the deployed app, or that at URL=…, what its users ask it
	$(BIN)/kedro smoke $(if $(URL),--url $(URL))

rollback: setup  ## Put the previous champion back; the running app follows
ifeq ($(DEPLOY),kubernetes)
	kubectl create job rollback-$$(date +%s) --from=cronjob/rollback --namespace grocery-demand
else
	$(BIN)/kedro rollback
endif

stop: setup  ## Stop the app that make deploy started
	$(BIN)/kedro stop

release: setup  ## From a clean commit to a running, smoke-tested app with the newest accepted model
	$(BIN)/kedro release $(if $(CHECKS),--checks $(CHECKS)) $(if $(PORT),--port $(PORT)) \
	  $(if $(PARAMS),--params '$(PARAMS)')

# kedro-viz writes to build/ where it is called, with full paths in it.
lineage: setup  ## Write the lineage as a static site to build/lineage/build
	rm -rf build/lineage && mkdir -p build/lineage
	cp -r conf src pyproject.toml build/lineage
	cd build/lineage && ../../$(BIN)/kedro viz build
	grep -rlZ '$(CURDIR)' build/lineage/build | xargs -0 -r sed -i 's|$(CURDIR)/\(build/lineage/\)\?||g'

serve: setup  ## Serve the buyers' page and the API on http://127.0.0.1:5005
	$(BIN)/kedro serve

image:  ## Build the image grocery-demand, with Docker, Podman or Buildah
	$(BUILD) --build-arg COMMIT=$(COMMIT) --build-arg DIRTY=$(DIRTY) \
	  --build-arg CREATED=$$(date -u +%Y-%m-%dT%H:%M:%SZ) --tag $(IMAGE):latest .

image-with-model:  ## Build the image with the published champion in it, tagged by its version
	@version=$$(sed -n 's/^ *"model_version": *\([0-9]*\),*$$/\1/p' $(PUBLICATION)/current.json) \
	&& test -n "$$version" \
	&& set -x && $(BUILD) --build-arg IMAGE=$(IMAGE):latest --build-arg MODEL_VERSION=$$version \
	  --file deploy/with-model.Dockerfile --tag $(IMAGE):model-$$version $(PUBLICATION)

up:  ## Start the app with MLflow, PostgreSQL, S3, Fluentd, Elasticsearch and Kibana
	$(PYTHON) deploy/make_env.py
	$(COMPOSE) --file deploy/compose.yml up --build --detach

down:  ## Stop them; what they hold is kept
	$(COMPOSE) --file deploy/compose.yml down

viz: setup  ## Open the lineage in the browser
	$(BIN)/kedro viz run

ui: setup  ## Open the tracked runs on http://127.0.0.1:5000
	$(BIN)/mlflow ui

pictures: setup  ## Take the README's pictures again, of the loop played in a copy
	$(BIN)/python docs/pictures/take.py

notebook: setup  ## Open JupyterLab with catalog, context and pipelines loaded
	$(BIN)/kedro jupyter lab

clean:  ## Remove what a run makes again (keeps .venv, sample, registry, events and past forecasts)
	rm -rf data/02_intermediate/[!.]* data/03_primary/[!.]* data/06_models/[!.]* data/08_reporting/[!.]*
	find data/07_model_output -mindepth 1 -maxdepth 1 ! -name '.*' ! -name 'events.db*' \
	  ! -name forecast_archive -exec rm -rf {} +
