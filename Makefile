# Short names for the commands in CONTRIBUTING.md. PYTHON=python3.12 make test

PYTHON ?= .venv/bin/python

.PHONY: test matrix slow explore fuzz lint notebooks samples site quality features speed

test:  ## all quick tests
	$(PYTHON) -m pytest

matrix:  ## quick tests with every Python, the lowest versions and each extra alone
	.ci/matrix

slow:  ## slow tests, including the examples
	$(PYTHON) -m pytest -m slow

explore:  ## tests of properties with new seeds and twenty times as many examples, for a night
	grep -rl --include='test_*.py' "^from hypothesis" tests | xargs $(PYTHON) -m pytest --hypothesis-profile=explore

fuzz:  ## mutants of all kinds of files that are read, for a night
	$(PYTHON) -m tests.fuzz --minutes 480

lint:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

notebooks:  ## build each notebook from its script
	$(PYTHON) -m jupytext --to ipynb examples/*.py

samples:  ## build the sample recordings (see audio_samples/README.md)
	$(PYTHON) audio_samples/make

site:  ## build/site/index.html, with the extra [site]
	$(PYTHON) docs/site/build.py

quality:  ## separation quality on the samples, with reference systems
	$(PYTHON) -m benchmarks.quality

features:  ## components as features, compared with PCA and k-means
	$(PYTHON) -m benchmarks.features

speed:  ## speed compared with the peers of the extra [bench]
	$(PYTHON) -m benchmarks.speed
