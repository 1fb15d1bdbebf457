# make run    from a bare machine to the demo county on 127.0.0.1:8000
# make test   everything that must hold
SHELL = /bin/sh
PYTHON = .venv/bin/python
SIDE_BY_SIDE = -q -n auto --maxprocesses 4 --dist loadfile
# a test that fails beside others and passes alone has a race: its first error stays on the page
ONCE_MORE = -q --last-failed --last-failed-no-failures none --maxfail 10
LONG = --timeout 0
CODE = gis_service layers grid_boundaries map_ui

.PHONY: run demo-city test covered setup setup-test lint bench calibration taipei kills sequences sight real-city migration lock clean

run: setup
	@.venv/bin/gis-service serve --demo

# the same with the demo city of 1.2 million people, in a database of its own
demo-city: setup
	@.venv/bin/gis-service serve --demo-city

test: setup-test
	@$(MAKE) --no-print-directory lint
	$(PYTHON) -m pytest $(SIDE_BY_SIDE) $(PYTEST) || \
		{ [ $$? -eq 1 ] && $(PYTHON) -m pytest $(ONCE_MORE) $(PYTEST); }

# the same, and which lines and branches no test passes; counting them takes half as long again
covered: setup-test
	$(PYTHON) -m pytest $(SIDE_BY_SIDE) --cov --cov-report=term $(PYTEST)

setup:
	@tools/setup.sh

setup-test:
	@tools/setup.sh test

lint: setup-test
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

# figures into bench/out/ and docs/benchmarks.md; make bench ONLY="visibility hotspots" for some
bench: setup-test
	$(PYTHON) -m gis_service bench $(ONLY)

# how often chance alone is called a hotspot, in full, into docs/calibration.md (ten minutes)
calibration: setup-test
	$(PYTHON) -m bench.calibration

# make taipei DATA=../shared/data/taipei
# what cameras see of six districts of a real city, into docs/taipei_coverage.md with its maps
taipei: setup-test
	$(PYTHON) -m bench.taipei $(DATA)

# the long form of the crash tests: 20 seeded kills each of service and postmaster per phase,
# of a publication too, and some of the demo county's own load
kills: setup-test
	GIS_KILLS=20 $(PYTHON) -m pytest tests/gis_service/embedded/test_kills.py \
		tests/gis_service/embedded/test_publish_kills.py $(LONG) $(PYTEST)
	$(PYTHON) -m pytest tests/long/demo_load_killed.py $(LONG) $(PYTEST)

# a district of a real city redrawn, published, exported and imported again, through HTTP
real-city: setup-test
	$(PYTHON) -m pytest tests/long/real_district_redrawn.py $(LONG) $(PYTEST)

# ten thousand random sequences of strokes, undos, redos and merges on the demo county
sequences: setup-test
	GIS_SEQUENCES=10000 $(PYTHON) -m pytest tests/grid_boundaries/test_sequences.py $(LONG) $(PYTEST)

# a hundred thousand random cases of changed scenes, and 2,000 of uncertain cameras
sight: setup-test
	GIS_SIGHT_CASES=2000 $(PYTHON) -m pytest tests/long/sight_metamorphic.py \
		tests/layers/coverage/test_certain_and_possible.py $(LONG) $(PYTEST)

# make migration MESSAGE="Add the hydrants"
migration: setup-test
	$(PYTHON) -m gis_service.migrations "$(MESSAGE)"
	-@.venv/bin/ruff check --quiet --fix gis_service/migrations/versions
	-@.venv/bin/ruff format --quiet gis_service/migrations/versions

LOCK = .venv/bin/uv pip compile --quiet --no-header --no-annotate --no-emit-index-url \
	--generate-hashes --python-version 3.11

lock: setup-test
	$(LOCK) requirements.in -o requirements.txt
	$(LOCK) requirements-dev.in -o requirements-dev.txt

# the checkout only; the data folder is never touched
clean:
	rm -rf .venv node_modules map_ui/static/vendor build dist *.egg-info bench/out
	rm -rf .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(CODE) tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
