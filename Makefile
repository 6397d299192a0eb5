.PHONY: demo test check bench setup setup-test clean

# Two commands: `make demo` and `make test` set up all they need, then run.
demo: setup
	@scripts/demo.sh

test: setup-test
	@.venv/bin/python -m pytest -q

check: setup-test
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/pyright
	@.venv/bin/python -m pytest -q

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

clean:
	rm -rf .venv out runs dist
