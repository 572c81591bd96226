# Paths are relative, so that a directory name with a space in it does no harm.
PYTHON ?= python3
REQUIREMENTS ?= requirements.txt
BIN := .venv/bin
READY := .venv/.ready
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: tutorial test colab oldest faults docs linkcheck browser lab notebooks format wheel clean

tutorial: $(READY)  ## run every notebook on the embedded data (cpu profile)
	$(BIN)/python -m discom reproduce --profile cpu

test: $(READY) browser  ## lint, tests, doctests, the README's commands, every notebook (tiny profile)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest
	$(BIN)/python -m discom reproduce --profile tiny --again --out build/notebooks-tiny

# Where nothing fits beside what Colab has, uv says why and the target fails; the whole set is left in build/.
COLAB := tests/fixtures/colab-constraints.txt
colab: $(READY)  ## an installation leaves what Colab has as it is, with each of its Pythons (asks the package index)
	@mkdir -p build
	@for python in 3.11 3.12; do \
	  $(BIN)/uv pip compile --quiet --python-version $$python --python-platform linux --constraint $(COLAB) \
	    --extra dense --extra deploy --extra ray pyproject.toml > build/colab-$$python.txt || exit 1; \
	  grep -E "^(torch|torchvision|numpy)==" build/colab-$$python.txt | xargs echo "Python $$python keeps"; done

OLDEST := .venv-oldest
TOOLS = $(shell grep -oE "^(pytest|hypothesis|jupytext)==[^ ]+" $(REQUIREMENTS))
oldest: $(READY)  ## quick tests and every notebook (tiny profile) with the oldest versions that pyproject.toml allows
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(OLDEST)
	$(BIN)/uv pip install --quiet --python $(OLDEST) --resolution lowest-direct --editable ".[dense,deploy]" $(TOOLS)
	$(OLDEST)/bin/python -m pytest -m "not slow"
	$(OLDEST)/bin/python -m discom reproduce --profile tiny --out build/notebooks-oldest

faults: $(READY)  ## 100 kill -9, full disks, damaged states and the rest of docs/reliability.md
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/faults --kills 100

docs: $(READY)  ## the documentation site in build/docs; a warning or a link that leads nowhere within it is an error
	$(BIN)/python -m sphinx -W --keep-going -E -q -d build/doctrees docs build/docs
	@echo "build/docs/index.html"

linkcheck: $(READY)  ## ask every address outside that the site names; needs the network
	$(BIN)/python -m sphinx -b linkcheck -q -d build/doctrees docs build/linkcheck

# The explorer's test drives a real browser. Where none can be installed it is skipped, and says so.
CHROMIUM = { command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null
INSTALL := apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium
browser:  ## Debian's Chromium for the browser test, installed where it is missing and may be
	@$(CHROMIUM) || { echo "installing Chromium for the browser test"; \
	  sh -c "$(INSTALL)" >/dev/null 2>&1 || sudo -n sh -c "$(INSTALL)" >/dev/null 2>&1; }; \
	  $(CHROMIUM) || echo "no Chromium could be installed: the browser test is skipped (sudo apt install chromium)"

lab: $(READY)  ## open JupyterLab on the notebooks
	$(BIN)/python -m jupyterlab notebooks

notebooks: $(READY)  ## make the committed .ipynb from their py twins, outputs included
	$(BIN)/python notebooks/build.py

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: $(READY)  ## the source archive and the wheel, in build/dist
	$(BIN)/python -m build --no-isolation --outdir build/dist

clean:
	rm -rf build .pytest_cache .ruff_cache .mypy_cache

$(READY): $(REQUIREMENTS) pyproject.toml
	$(PYTHON) -c "import sys; sys.exit('Python 3.11 or newer is needed, this is ' + sys.version.split()[0]) if sys.version_info < (3, 11) else None"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $(REQUIREMENTS) --editable .
	touch $(READY)
