# make run    starts Ringback with three people to try it with
# make test   sets everything up and runs lint, types and all tests; ARGS goes to pytest: make test ARGS="-k race"
# make lint, make format, make bench, make clean
# PYTHON=python3.12 chooses another Python than the newest.

VENV = .venv/bin
SETUP = sh tools/bootstrap.sh
PACKAGES = server handlers ringback_client
# In two processes, see tests/sharing_out.py; ARGS="-n 0" runs them one after the other in one.
SHARED = -n 2 --no-loadscope-reorder
ARGS =

.PHONY: run test lint format bench clean

run:
	@$(SETUP) embedded
	@exec $(VENV)/ringback serve --demo

test: lint
	@CHROMIUM=$$($(VENV)/python -m tools.browser) && TURNSERVER=$$($(VENV)/python -m tools.turnserver) && \
	export CHROMIUM TURNSERVER && exec $(VENV)/python -m pytest $(SHARED) $(ARGS)

lint:
	@$(SETUP) embedded test
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy --strict $(PACKAGES)

format:
	@$(SETUP) embedded test
	$(VENV)/ruff check --fix .
	$(VENV)/ruff format .

bench:
	@$(SETUP) embedded test
	$(VENV)/python -m bench $(ARGS)

# Not ringback-data: what people tried is theirs to remove.
clean:
	rm -rf .venv build dist *.egg-info node_modules static/vendor .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
