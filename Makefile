# Paths are relative, so that a folder name with a space in it does no harm.
PYTHON ?= python3
REQUIREMENTS ?= requirements.txt
BIN := .venv/bin
READY := .venv/.ready
# Two processes of one thread do more work than one process of two threads.
ONE := OMP_NUM_THREADS=1
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: tutorial test test-all release-check release-steps colab oldest docs pages figure linkcheck browser lab notebooks format wheel wheel-check clean

tutorial: $(READY)  ## run every notebook on the synthetic scenes (profile cpu), two at a time
	$(BIN)/python notebooks/batch.py --profile cpu

test: $(READY)  ## lint, types, quick tests and doctests, every notebook (profile tiny)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(ONE) $(BIN)/python -m pytest -n 2 -m "not slow"
	rm -rf build/notebooks-tiny
	$(BIN)/python notebooks/batch.py --profile tiny --out build/notebooks-tiny

test-all: test browser colab  ## test, and the slow ones: solutions, browser, wheel, kills, the site
	$(ONE) $(BIN)/python -m pytest -n 2 -m slow

release-check: test-all oldest  ## what must pass before a release, then what a tag still needs; the nightly workflow runs it
	rm -rf build/notebooks
	$(MAKE) tutorial docs wheel-check
	@$(MAKE) --no-print-directory release-steps

release-steps: $(READY)  ## what is still to be done by hand before a tag
	@version=$$($(BIN)/python -c "import discom; print(discom.__version__)"); echo "To release $$version:"; \
	! grep -q "^## \[$$version\] – unreleased" CHANGELOG.md || echo "- in CHANGELOG.md write the date in the place of \"unreleased\""; \
	grep -q "^date-released:" CITATION.cff || echo "- in CITATION.cff write date-released: and the same date"; \
	git diff --quiet HEAD || echo "- commit what has changed"; \
	! git rev-parse -q --verify "refs/tags/v$$version" > /dev/null || echo "- the tag v$$version exists: raise __version__ in discom/__init__.py"; \
	echo "- git tag v$$version && git push origin main v$$version (install cells then take the tag in the place of main)"

# Where nothing fits beside what Colab has, uv says why and the target fails; the whole set is left in build/.
COLAB := tests/fixtures/colab-constraints.txt
colab: $(READY)  ## an installation leaves Colab's torch and numpy as they are (asks the package index)
	@mkdir -p build
	@$(BIN)/uv pip compile --quiet --python-version 3.12 --python-platform linux --constraint $(COLAB) \
	  --extra dense --extra deploy pyproject.toml > build/colab.txt
	@grep -E "^(torch|torchvision|numpy)==" build/colab.txt | xargs echo "Colab keeps"

OLDEST := .venv-oldest
TOOLS = $(shell grep -oE "^(pytest|pytest-xdist|hypothesis|jupytext|pre-commit)==[^ ]+" $(REQUIREMENTS))
oldest: $(READY)  ## quick tests and every notebook (profile tiny) with the oldest versions that pyproject.toml allows
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(OLDEST)
	$(BIN)/uv pip install --quiet --python $(OLDEST) --resolution lowest-direct --editable ".[dense,deploy]" $(TOOLS)
	$(ONE) $(OLDEST)/bin/python -m pytest -n 2 -m "not slow"
	$(OLDEST)/bin/python notebooks/batch.py --profile tiny --out build/notebooks-oldest

docs: $(READY)  ## the documentation site in build/docs; a warning or a broken link within it is an error
	$(BIN)/python benchmarks/pages.py --check
	rm -rf docs/api build/docs
	$(BIN)/python -m sphinx -c docs -W --keep-going -E -q -d build/doctrees . build/docs
	@echo "build/docs/index.html"

pages: $(READY)  ## the tables of results/ and of pages, from the runs
	$(BIN)/python benchmarks/pages.py

figure: $(READY)  ## the same, and the README's figure
	$(BIN)/python benchmarks/pages.py --figure

linkcheck: $(READY)  ## ask every external address that the site names; needs the network
	$(BIN)/python -m sphinx -c docs -b linkcheck -q -d build/doctrees . build/linkcheck

# A test drives JupyterLab in a real browser. Where none can be installed it is skipped.
CHROMIUM = { command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null
INSTALL := apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium
browser:  ## Debian's Chromium for the browser tests, installed where it is missing and may be
	@$(CHROMIUM) || { echo "installing Chromium for the browser tests"; \
	  sh -c "$(INSTALL)" >/dev/null 2>&1 || sudo -n sh -c "$(INSTALL)" >/dev/null 2>&1; }; \
	  $(CHROMIUM) || echo "no Chromium could be installed: the browser tests are skipped (sudo apt install chromium)"

lab: $(READY)  ## open JupyterLab on the notebooks
	$(BIN)/python -m jupyterlab notebooks

notebooks: $(READY)  ## make the committed .ipynb from their py twins, outputs included
	$(BIN)/python notebooks/build.py

format: $(READY)  ## wrap lines, mend what lint can mend, and wrap again
	$(BIN)/ruff format --quiet .
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: $(READY)  ## the source archive and the wheel, in build/dist
	rm -rf build/dist
	$(BIN)/python -m build --no-isolation --outdir build/dist

wheel-check: wheel  ## the wheel installs, trains and predicts in an empty environment
	$(PYTHON) -m venv --clear build/empty
	build/empty/bin/python -m pip install --quiet --disable-pip-version-check --constraint $(REQUIREMENTS) "$$(echo build/dist/*.whl)[deploy]"
	cd build && empty/bin/discom train --data objects:n=66,size=16 --profile tiny --method student --runs empty/runs
	cd build && empty/bin/discom export empty/runs --data objects:n=66,size=16 --modality rgb --out empty/rgb
	cd build/empty && bin/python -c "import numpy; numpy.save('new.npy', numpy.eye(16, dtype='f4')[None].repeat(3, 0))"
	cd build/empty && bin/discom predict rgb new.npy
	rm -rf build/empty

clean:
	rm -rf build .pytest_cache .ruff_cache .mypy_cache

$(READY): $(REQUIREMENTS) pyproject.toml
	$(PYTHON) -c "import sys; sys.exit('Python 3.11 or newer is needed, this is ' + sys.version.split()[0]) if sys.version_info < (3, 11) else None"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $(REQUIREMENTS) --editable .
	touch $(READY)
