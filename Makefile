# The commands that a person types. What they do is in xtask/.

export PATH := $(PATH):$(HOME)/.cargo/bin

PROGRAMS := downloader backfiller restreamer cutter demo
BUILT := $${CARGO_TARGET_DIR:-target}/debug

.PHONY: help demo test ci bench setup

help:
	@echo 'make demo    record, replicate, serve and cut a live stream, all on this machine'
	@echo '             ARGS=--once ends when the story is over; ARGS=--help shows more'
	@echo 'make test    every test, on a private PostgreSQL'
	@echo 'make ci      every check that a change must pass, and the tests'
	@echo 'make bench   the benchmarks'
	@echo 'make setup   install what all of these need, from the distribution'

demo:
	@sh xtask/setup.sh run
	@cargo build --locked $(PROGRAMS:%=--package %)
	@exec $(BUILT)/demo $(ARGS)

test:
	@sh xtask/setup.sh test
	@cargo xtask test $(ARGS)

ci:
	@sh xtask/setup.sh ci
	@cargo xtask ci

bench:
	@sh xtask/setup.sh bench
	@cargo xtask bench

setup:
	@sh xtask/setup.sh ci
	@sh xtask/setup.sh bench
