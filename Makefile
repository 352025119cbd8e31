# The two commands of this project are `make demo` and `make test`. Each does
# its whole set-up by itself on a machine with Rust's toolchain and a package
# manager; `make help` lists the rest.

CARGO ?= cargo
DEMO_ARGS ?=
TEST_ARGS ?=

.PHONY: demo test test-core test-matrix test-corpus test-load bench setup setup-test build fmt lint deny examples docs clean help

demo: setup            ## a throwaway server, an application under load, two plans through all phases
	$(CARGO) run --release --locked --quiet -- demo $(DEMO_ARGS)

test: setup-test       ## format, lints, unit tests, and the tests against real servers
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets --test corpus --all-features --quiet -- -D warnings
	$(CARGO) test --locked --all-features --lib --bins
	$(CARGO) test --locked --all-features --doc --quiet
	$(CARGO) test --locked --all-features --test server -- --skip recipes_back:: $(TEST_ARGS)

test-recipes: setup-test ## every recipe's example back from every state, under load
	$(CARGO) test --locked --all-features --test server -- recipes_back::

test-core:             ## the pure core alone, no server needed
	$(CARGO) test --locked --lib core::

test-matrix: setup-test ## the server tests on PostgreSQL 13 to 18 (MATRIX="13 18" chooses)
	sh scripts/test-matrix.sh $(TEST_ARGS)

test-load: setup-test   ## a whole plan beside pgbench and a report of 60 s; a key of a million rows widened beside clients
	PHASE_REPORT_SECONDS=60 $(CARGO) test --locked --all-features --test server -- load:: --nocapture
	PHASE_WIDEN_ROWS=1000000 PHASE_TEST_SECONDS=1800 $(CARGO) test --locked --all-features --test server -- widen:: --nocapture

test-corpus: setup-test ## splitting against psql, over PostgreSQL's regression SQL (fetched with apt)
	sh scripts/corpus.sh
	$(CARGO) test --locked --test corpus

bench: setup           ## what backfills cost, against their rivals: writes docs/benchmarks.md
	$(CARGO) bench --locked --bench backfill

setup:                 ## install what building and the demo need, if it is missing
	@sh scripts/setup.sh

setup-test:            ## the same, and what the tests need besides
	@sh scripts/setup.sh --test

build:                 ## the release binary
	$(CARGO) build --release --locked

fmt:                   ## format the code
	$(CARGO) fmt

lint:                  ## clippy, warnings as errors
	$(CARGO) clippy --locked --all-targets --test corpus --all-features -- -D warnings

deny:                  ## licences, bans and sources of the dependencies
	@command -v cargo-deny >/dev/null || { echo "install it first: cargo install cargo-deny --locked"; exit 1; }
	cargo deny check licenses bans sources

examples: setup-test   ## write again what a catalog says of the tables in the examples of recipes; then make docs
	UPDATE_DOCS=1 $(CARGO) test --locked --all-features --test server -- recipes::what_is_kept

docs:                  ## write the generated pages and snapshots again
	UPDATE_DOCS=1 INSTA_UPDATE=always $(CARGO) test --locked --lib

clean:                 ## remove what was built and fetched
	$(CARGO) clean
	rm -rf .phase-servers

help:                  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
