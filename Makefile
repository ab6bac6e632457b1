# Guanxi: `make help` lists the commands. Everything else is in scripts/.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export GOFLAGS := -tags=sqlite_fts5
BIN := bin/guanxi

.PHONY: help run test check bench golden e2e generate build ui setup fmt clean

help: ## list the commands
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

run: ## build everything and start the product with a demo workspace on http://127.0.0.1:8080
	@scripts/setup.sh run
	@$(MAKE) --no-print-directory build
	exec $(BIN) serve --demo --data $${GUANXI_DATA:-data} --addr $${GUANXI_ADDR:-127.0.0.1:8080}

test: ## set up and run every test, PostgreSQL and browser included; ends with "N passed, N failed"
	@scripts/setup.sh test
	@scripts/test.sh

check: ## the fast checks before a commit: format, lint, architecture, unit tests
	@scripts/check.sh

bench: build ## measure at 100,000 and 1,000,000 customers and write docs/benchmarks.md
	@scripts/setup.sh test
	@scripts/bench.sh

golden: ## rewrite the golden files of the tests
	@scripts/golden.sh

e2e: build ## only the browser tests
	@scripts/setup.sh test
	@scripts/e2e.sh

generate: ## rewrite generated files (configuration page, OpenAPI document, command help)
	@scripts/generate.sh

build: ui ## build the program into bin/guanxi
	@mkdir -p bin
	go build -trimpath -ldflags "-s -w -X main.version=$$(git describe --tags --always --dirty 2>/dev/null || echo dev)" -o $(BIN) ./cmd/guanxi

ui: ## build the interface into ui/dist
	@scripts/ui.sh

setup: ## install what the tests need (browser, PostgreSQL, packages)
	@scripts/setup.sh test

fmt: ## format Go and TypeScript
	gofmt -w cmd internal migrations locales objects tools ui/embed.go
	cd ui && npx biome check --write .

clean: ## remove what was built
	rm -rf bin .build ui/dist/assets
