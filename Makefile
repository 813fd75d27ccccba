# Run `make` for the list of targets.

# Every module of the repository but tools/, whose code is not ours.
MODULES := . $(sort $(patsubst %/go.mod,%,$(filter-out tools/go.mod,$(wildcard */go.mod))))

# Variables that may be set on the command line.
BENCH     ?= .
BENCHTIME ?= 1s
COUNT     ?= 1
FUZZ      ?= .
FUZZTIME  ?= 10s
SOAK      ?= 30m
PKG       ?= ./...
RUN       ?= .
SEEDS     ?= 10
TIMEOUT   ?= 25m
TORTURE   ?= 15s

# Tools are pinned in tools/go.mod and built once for each set of versions.
TOOLKEY = $(shell { go env GOVERSION GOOS GOARCH; cat tools/go.mod tools/go.sum; } | cksum | cut -d ' ' -f 1)
BIN     = $(CURDIR)/.bin/$(TOOLKEY)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: check
check: ## Quick check while working: build, vet, format, short tests on the embedded engine
	go build -buildvcs=false ./...
	go vet ./...
	@$(MAKE) -s fmt-check
	go test -short ./...

.PHONY: test
test: test-deps ## Everything: race detector, real Redis, all modules, benchmarks once (installs what is missing on Debian as root)
	@rc=0; for m in $(MODULES); do \
	  echo "== module $$m: tests"; \
	  (cd $$m && LARDER_REQUIRE_REDIS=1 CGO_ENABLED=1 go test -race -count=1 -timeout $(TIMEOUT) ./...) || rc=1; \
	done; exit $$rc
	@echo "== benchmarks, once each"
	@LARDER_REQUIRE_REDIS=1 go test -run '^$$' -bench . -benchtime 1x -timeout $(TIMEOUT) ./...

.PHONY: test-deps
test-deps:
	@tools/install-test-deps.sh

.PHONY: race
race: ## Race detector on chosen tests: make race PKG=./ratelimit RUN=TestWindow COUNT=20
	CGO_ENABLED=1 go test -race -run '$(RUN)' -count=$(COUNT) -timeout $(TIMEOUT) $(PKG)

.PHONY: torture
torture: ## Torture: SEEDS (10) runs of TORTURE (15s) on one server, a cluster and Sentinel, then mutations and interleavings
	@tools/torture.sh '$(TORTURE)' '$(SEEDS)'
	LARDER_TORTURE=1 LARDER_REQUIRE_REDIS=1 go test -count=1 -timeout 30m -run TestMutations -v ./internal/torture
	LARDER_TORTURE=1 go test -count=1 -timeout 60m -run Interleaving -v .

.PHONY: lint
lint: ## Run golangci-lint on all modules (its first build takes a minute or two)
	@$(MAKE) -s $(BIN)/golangci-lint
	@rc=0; for m in $(MODULES); do \
	  echo "== module $$m: lint"; \
	  (cd $$m && $(BIN)/golangci-lint run --config $(CURDIR)/.golangci.yml ./...) || rc=1; \
	done; exit $$rc

.PHONY: fmt
fmt: ## Format all Go files with gofumpt
	@$(MAKE) -s $(BIN)/gofumpt
	$(BIN)/gofumpt -w .

.PHONY: fmt-check
fmt-check:
	@$(MAKE) -s $(BIN)/gofumpt
	@$(BIN)/gofumpt -d . || { echo "Not formatted: run 'make fmt'."; exit 1; }

.PHONY: bench
bench: ## Run benchmarks: make bench PKG=. BENCH=Hit COUNT=10 | tee new.txt
	@go test -run '^$$' -bench '$(BENCH)' -benchmem -benchtime $(BENCHTIME) -count $(COUNT) -timeout 0 $(PKG)

.PHONY: benchstat
benchstat: ## Compare two runs of bench: make benchstat OLD=old.txt NEW=new.txt
	@$(MAKE) -s $(BIN)/benchstat
	@$(BIN)/benchstat $(OLD) $(NEW)

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (10s): make fuzz FUZZ=Key FUZZTIME=1m
	@set -e; for m in $(MODULES); do (cd $$m && $(CURDIR)/tools/fuzz.sh '$(FUZZTIME)' '$(FUZZ)'); done

.PHONY: generate
generate: ## Run go generate in all modules
	@set -e; for m in $(MODULES); do (cd $$m && go generate ./...); done

.PHONY: corpus
corpus: ## Copy what fuzzing has found into testdata/fuzz, for targets that have next to nothing there
	@set -e; for m in $(MODULES); do (cd $$m && $(CURDIR)/tools/corpus.sh); done

.PHONY: soak
soak: test-deps ## Everything under load on a real Redis and PostgreSQL for SOAK (30m), and a judge of what grows
	LARDER_REQUIRE_REDIS=1 go test -count=1 -timeout 0 -run '^TestSoak$$' -v ./internal/soak -soak.for $(SOAK) -soak.rate 50

.PHONY: vuln
vuln: ## Known vulnerabilities in what we call; says so where their database cannot be reached
	@$(MAKE) -s $(BIN)/govulncheck
	@tools/vuln.sh $(BIN)/govulncheck $(MODULES)

.PHONY: tidy-check
tidy-check: ## Check that generated files, go.mod and go.sum are up to date
	@tools/tidy-check.sh $(MODULES)

# The long forms, each after the other even if one fails. A target that does not exist
# is a failure too.
LONG = tidy-check ci torture soak fuzz vuln

.PHONY: verify
verify: ## Everything, hours: tidy-check, ci, and the long forms: torture, soak, fuzz (1m for each target), vuln
	@failed=; for t in $(LONG); do \
	  echo "== verify: $$t"; \
	  $(MAKE) --no-print-directory $$t $(if $(filter command%,$(origin FUZZTIME)),,FUZZTIME=1m) || failed="$$failed $$t"; \
	done; \
	if [ -n "$$failed" ]; then echo "verify: failed:$$failed"; exit 1; fi; echo "verify: all of it: $(LONG)"

.PHONY: ci
ci: ## What the continuous integration runs: test, then lint
	@.ci/run

# The names are computed by the targets that need them, in a second make.
$(CURDIR)/.bin/%/golangci-lint:
	@$(call build-tool,$@,github.com/golangci/golangci-lint/v2/cmd/golangci-lint)
$(CURDIR)/.bin/%/gofumpt:
	@$(call build-tool,$@,mvdan.cc/gofumpt)
$(CURDIR)/.bin/%/govulncheck:
	@$(call build-tool,$@,golang.org/x/vuln/cmd/govulncheck)
$(CURDIR)/.bin/%/benchstat:
	@$(call build-tool,$@,golang.org/x/perf/cmd/benchstat)

build-tool = echo "Building $(notdir $(1))" && cd tools && CGO_ENABLED=0 go build -buildvcs=false -o $(1) $(2)
