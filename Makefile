# Short names for the commands in CONTRIBUTING.md. PYTHON=python3.12 make test

PYTHON ?= .venv/bin/python

.PHONY: test matrix slow explore fuzz coverage lint notebooks samples site quality features speed release

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

coverage:  ## lines and branches that quick tests reach, with kernels as plain Python; needs pytest-cov
	$(PYTHON) -m pytest --cov=nmfaudio --cov-branch --cov-report=
	-PYTHONPATH=tests $(PYTHON) -m pytest -p plain_kernels --cov=nmfaudio --cov-branch --cov-append \
		--cov-report= -n 0 tests/kernels tests/laws/test_gliding.py tests/audio/test_phase.py
	$(PYTHON) -m coverage report --skip-covered

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

release:  ## wheel and source archive in dist/, from a clean commit with the tag of its version
	$(PYTHON) packaging/release.py
	$(PYTHON) -m pip install --quiet build twine check-wheel-contents
	rm -rf dist
	$(PYTHON) -m build
	$(PYTHON) -m twine check --strict dist/*
	$(PYTHON) -m check_wheel_contents dist/*.whl
