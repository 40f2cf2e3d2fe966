# Each target is a line or two of ordinary commands; the README gives them for systems without make.
PYTHON ?= python3
NB ?=
TESTS ?=
DIR ?=
PACKAGE ?=
ASSETS ?=
ADDRESS ?=
BIN := .venv/bin
EMBEDDED = env -u MILVUS_URI -u MILVUS_TOKEN -u REDIS_URL BOOTCAMP_STORES="$(CURDIR)/build/stores"
PIP = $(BIN)/python -m pip install --no-compile --no-deps

.PHONY: run test test-server newest sources assets lint lab app apps start notebooks bench clean

run: assets                      ## execute the notebooks into build/ and show the scoreboard
	$(BIN)/python tools/run_notebooks.py $(if $(FORCE),--force) $(NB)

# Embedded engines in a folder of their own: a test touches neither a learner's data nor a server's.
test: lint assets                ## everything that CI runs
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile
	$(EMBEDDED) $(BIN)/python -m pytest --nbmake --nbmake-timeout=900 --numprocesses 2 --durations=0 notebooks
	$(EMBEDDED) $(BIN)/python -m pytest -m browser -rs tests/apps

test-server: assets              ## the notebooks on Milvus 2.3.5 and a guarded Redis, shut off from the network
	$(BIN)/python tools/on_server.py $(if $(PUBLISH),--publish) $(NB)

newest:                          ## try the newest of every dependency, in an environment of its own
	$(PYTHON) tools/newest.py $(NB) $(if $(TESTS),--tests $(TESTS))

sources: .venv/installed         ## try every source of every model and data set, and keep nothing
	$(BIN)/python tools/sources.py $(ASSETS)

assets: .venv/installed          ## fetch the models and data that are missing
	$(BIN)/python -m helpers.assets

lint: .venv/installed            ## style of code and notebooks
	$(BIN)/ruff check
	$(BIN)/ruff format --check

lab: .venv/installed             ## JupyterLab on the notebooks, for this computer only
	$(BIN)/jupyter lab --ip=127.0.0.1 --notebook-dir=notebooks

apps: .venv/installed            ## the notebooks as web apps, or one of them: make apps NB=01_image_search
	$(BIN)/python tools/apps $(if $(ADDRESS),--address $(ADDRESS)) $(NB)

app: apps

start: .venv/installed           ## a project of your own: make start NB=05_molecule_search DIR=../my-search
	$(if $(and $(NB),$(DIR)),,$(error Name both: make start NB=05_molecule_search DIR=../my-search))
	$(BIN)/python tools/start.py $(NB) "$(DIR)" $(if $(PACKAGE),--package $(PACKAGE))

notebooks: assets                ## execute the committed notebooks in place, update the README's table
	$(BIN)/python tools/run_notebooks.py --in-place $(NB)
	$(BIN)/python tools/gallery.py

bench: .venv/installed           ## how fast encoding and ingest are, against the classic loop
	$(BIN)/python tools/benchmark_images.py

clean:                           ## remove what was installed, built and stored; the cache stays
	rm -rf build .stores .venv *.egg-info

# The locks have pip check the sha256 of every file.
.venv/installed: locks/wheels.txt locks/source.txt locks/torch.txt locks/torch-cpu.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11, 5) and "Python 3.11.5 or newer is needed: make run PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(PIP) -r locks/torch-cpu.txt || { \
		echo "pip knows no CPU build of PyTorch here: taking what the package index has"; \
		$(PIP) -r locks/torch.txt; }
	$(PIP) -r locks/wheels.txt
	$(PIP) --no-build-isolation -r locks/source.txt
	$(PIP) --no-build-isolation -e .
	touch $@
