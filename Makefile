# The one door. `make run` and `make test` install what they need; `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

SWIFT_FLAGS ?=
DATA ?=

.PHONY: help run demo build debug test integration lint fmt bench check packages clean

help:  ## Lists the targets.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

packages:  ## Installs the Debian packages that building and running need.
	@scripts/install-packages.sh run

build: packages  ## Builds the release binary with the Swift runtime linked in.
	@scripts/build-release.sh

run: build  ## Starts the daemon on 127.0.0.1:8722 with config/sandwarden.yaml; Ctrl-C stops it.
	@scripts/run.sh $(if $(DATA),--data $(DATA))

demo: build  ## Shows the main job: hostile programs in sandboxes, caught, answered, journalled.
	@scripts/demo.sh

test:  ## Runs all tests: unit, architecture, and integration against a Docker engine of their own.
	@scripts/test.sh

integration:  ## Runs the integration tests only.
	@scripts/test.sh IntegrationTests

lint:  ## Checks the format and the banned calls.
	@scripts/lint.sh

fmt:  ## Formats the Swift sources in place.
	@swift format --in-place --recursive --parallel Sources Tests Benchmarks Package.swift

bench: build  ## Measures, beside a peer or the bare system call in the same run.
	@scripts/bench.sh

check: lint test  ## What CI does.

clean:  ## Removes what was built.
	@rm -rf .build Benchmarks/.build
