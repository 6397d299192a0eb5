.PHONY: demo test test-desktop check bench setup setup-test clean

# Two commands: `make demo` and `make test` set up all they need, then run.
demo: setup
	@scripts/demo.sh

test: setup-test
	@scripts/tests.sh

# What starts a desktop or a browser of its own, or needs big packages.
test-desktop: setup-desktop
	@.venv/bin/python -m pytest -q -m desktop

check: setup-test
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/pyright
	@scripts/tests.sh

bench: setup-test
	@.venv/bin/python main.py bench
	@.venv/bin/python bench/run_costs.py
	@.venv/bin/python bench/demo_scene.py
	@.venv/bin/python bench/hud_cost.py
	@.venv/bin/python bench/stabilizer_cost.py
	@.venv/bin/python bench/capture_latency.py
	@.venv/bin/python bench/idle_cost.py

setup:
	@scripts/setup.sh run

setup-test:
	@scripts/setup.sh test

setup-desktop:
	@scripts/setup.sh desktop

clean:
	rm -rf .venv out runs dist
