# The commands of the project. `make help` lists them.
GO          ?= go
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.7.0
BIN         := bin/gophersnake
OUT         ?= out
DB          ?= gophersnake.db
RACE        := ./internal/pool ./internal/kernel/scan ./pkg/lab ./tracker

.PHONY: help build reproduce results test test-go test-noasm test-race fuzz lint generate-check bench study clean

help: ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

build: ## build bin/gophersnake
	$(GO) build -o $(BIN) ./cmd/gophersnake

reproduce: build ## train the ladder (quick preset), log every run, write tables and plots
	$(BIN) ladder --preset quick --db $(DB) --out $(OUT)

results: ## take the numbers of the last reproduce into docs/results and the README
	$(GO) run ./internal/results

test: lint test-go test-noasm test-race fuzz ## everything that continuous integration runs

lint: ## gofmt, go vet, staticcheck, generated code up to date
	@bad=$$(git ls-files '*.go' | xargs gofmt -l); if [ -n "$$bad" ]; then echo "gofmt would change:"; echo "$$bad"; exit 1; fi
	$(GO) vet ./...
	$(GO) vet -tags noasm ./...
	$(GO) run $(STATICCHECK) ./...
	$(MAKE) --no-print-directory generate-check

generate-check: # regenerate the assembly and fail if anything changes
	$(GO) generate ./internal/kernel/...
	@git diff --exit-code --stat -- '*zz_*' || { echo "generated files differ: run 'go generate ./internal/kernel/...' and commit"; exit 1; }

test-go:
	$(GO) test ./...

test-noasm: # the pure-Go kernels give the same results
	$(GO) test -tags noasm ./internal/kernel/... ./internal/device/... ./pkg/tensor ./pkg/ssm ./pkg/rnn

test-race:
	$(GO) test -race -short $(RACE)

fuzz: # a short smoke run of every fuzz target
	@$(GO) list ./... | while read -r pkg; do \
		for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime 3s $$pkg || exit 1; \
		done; done

bench: build ## time the kernels and measure how time grows with length
	$(GO) test -run '^$$' -bench . -benchtime 200ms ./internal/kernel/... ./internal/device/cpu
	$(BIN) bench --out $(OUT)

study: build ## the full preset: hours
	$(BIN) ladder --preset full --db $(DB) --out $(OUT)

clean: ## remove what was built and written
	rm -rf bin $(OUT)
