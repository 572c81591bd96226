# Paths are relative, so that a directory name with a space in it does no harm.
PYTHON ?= python3
REQUIREMENTS ?= requirements.txt
BIN := .venv/bin
READY := .venv/.ready
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: tutorial test lab notebooks format clean

tutorial: $(READY)  ## run every notebook on the embedded data (cpu profile)
	$(BIN)/python -m discom reproduce --profile cpu

test: $(READY)  ## lint, tests, doctests, the README's commands, every notebook (tiny profile)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest
	$(BIN)/python -m discom reproduce --profile tiny --out build/notebooks-tiny

lab: $(READY)  ## open JupyterLab on the notebooks
	$(BIN)/python -m jupyterlab notebooks

notebooks: $(READY)  ## make the committed .ipynb from their py twins, outputs included
	$(BIN)/python notebooks/build.py

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf build .pytest_cache .ruff_cache

$(READY): $(REQUIREMENTS) pyproject.toml
	$(PYTHON) -c "import sys; sys.exit('Python 3.11 or newer is needed, this is ' + sys.version.split()[0]) if sys.version_info < (3, 11) else None"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $(REQUIREMENTS) --editable .
	touch $(READY)
