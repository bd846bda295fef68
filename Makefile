# Short names for what CONTRIBUTING.md describes. PYTHON=python3.12 make test

PYTHON ?= .venv/bin/python

.PHONY: test slow lint notebooks samples quality features speed

test:  ## all quick tests
	$(PYTHON) -m pytest

slow:  ## the slow ones, the examples among them
	$(PYTHON) -m pytest -m slow

lint:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

notebooks:  ## build each notebook from its script
	$(PYTHON) -m jupytext --to ipynb examples/[0-9]*.py

samples:  ## make the recordings again (see audio_samples/README.md)
	$(PYTHON) audio_samples/make

quality:  ## how well the samples come apart
	$(PYTHON) -m benchmarks.quality

features:  ## parts as features, beside PCA and k-means
	$(PYTHON) -m benchmarks.features

speed:  ## how fast it is, against the peers of the extra [bench]
	$(PYTHON) -m benchmarks.speed
