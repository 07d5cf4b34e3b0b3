# The commands of the project. `make help` lists them.
GO          ?= go
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.7.0
BIN         := bin/gophersnake
KERNEL      := bin/gophernotes
VENV        := .venv
OVERLAY     := -tags gophernotes -overlay bin/overlay.json
OUT         ?= out
DB          ?= gophersnake.db
RACE        := ./internal/device/cpu ./internal/live ./internal/pool ./internal/kernel/scan ./pkg/lab ./pkg/nb ./tracker ./tracker/sysmon

.PHONY: help build reproduce again results test test-go test-noasm test-arm64 test-race fuzz lint generate-check bench study clean \
	kernel kernel-overlay lab venv test-kernel test-jupyter test-browser torture mutants measure-kernel bench-tracker docker test-docker

help: ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

# The first build compiles some hundred packages and SQLite: it says so, and names each.
FIRST = $(if $(wildcard $(1)),,@echo "building $(1): a minute or two the first time, as SQLite is compiled too; every line is a package")
SHOWN = $(if $(wildcard $(1)),,-v)

build: ## build bin/gophersnake
	$(call FIRST,$(BIN))
	$(GO) build $(call SHOWN,$(BIN)) -o $(BIN) ./cmd/gophersnake

reproduce: build ## train the ladder (quick preset), log every run, write tables and plots
	$(BIN) ladder --preset quick --db $(DB) --out $(OUT)

again: build ## the quick preset once more with other tuning and reporting seeds: do they say the same?
	@mkdir -p $(OUT)/again
	$(BIN) ladder --preset quick --first-seed 101 --db $(OUT)/again/again.db --out $(OUT)/again

results: ## take the numbers of the last reproduce into docs/results and the README
	$(GO) run ./internal/results

kernel: kernel-overlay ## build bin/gophernotes, the notebook kernel
	$(call FIRST,$(KERNEL))
	$(GO) build $(call SHOWN,$(KERNEL)) $(OVERLAY) -o $(KERNEL) ./cmd/gophernotes

kernel-overlay: # gophernotes' own sources and the documentation that the kernel shows
	@echo "gathering the documentation that the kernel shows, and the sources that it is built from"
	@$(GO) run ./cmd/gophernotes/docs -o bin/docs.json.gz
	@$(GO) run ./cmd/gophernotes/overlay -docs bin/docs.json.gz -o bin/overlay.json

venv: $(VENV)/ready # the pinned JupyterLab
$(VENV)/ready: notebooks/requirements.txt
	@echo "setting up $(VENV): JupyterLab and what it needs, some 90 packages, 40 MB to download; half a minute, on a slow network minutes"
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --disable-pip-version-check -r notebooks/requirements.txt
	@touch $@

lab: build kernel venv ## open JupyterLab with the kernel installed in .venv
	$(BIN) kernel install --prefix $(VENV)
	$(VENV)/bin/jupyter lab notebooks

test: lint test-go test-noasm test-arm64 test-race fuzz test-kernel test-jupyter ## everything that continuous integration runs

lint: ## gofmt, go vet, staticcheck, generated code up to date
	@bad=$$(git ls-files '*.go' | xargs gofmt -l); if [ -n "$$bad" ]; then echo "gofmt would change:"; echo "$$bad"; exit 1; fi
	$(GO) vet ./...
	$(GO) vet -tags noasm ./...
	$(GO) run $(STATICCHECK) ./...
	$(MAKE) --no-print-directory generate-check

generate-check: # regenerate assembly and bindings and fail if anything changes
	$(GO) generate ./internal/kernel/... ./internal/bindings
	@git diff --exit-code --stat -- '*zz_*' || { echo "generated files differ: run 'go generate ./internal/kernel/... ./internal/bindings' and commit"; exit 1; }

test-go:
	$(GO) test ./...
	$(GO) test -count=1 ./internal/arch # what it reads is not in the cache's key

test-noasm: # the pure-Go kernels give the same results
	$(GO) test -tags noasm ./internal/kernel/... ./internal/device/... ./pkg/tensor ./pkg/ssm ./pkg/rnn

# What does not depend on the processor, and is slow under emulation, is left out.
ARM64 := $(addprefix ./internal/,kernel/arm64/asm kernel/isa kernel/gemm kernel/scan kernel/vec kernel/matvec kernel/fused device/cpu)
QEMU   = $(if $(filter arm64,$(shell $(GO) env GOHOSTARCH)),,-exec qemu-aarch64-static)
test-arm64: ## the NEON kernels, emulated by QEMU where the machine is not arm64; vet for Linux and macOS on arm64
	@[ -z "$(QEMU)" ] || command -v qemu-aarch64-static >/dev/null || \
		{ [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get install -y -q qemu-user-static; } || \
		{ echo "no qemu-aarch64-static: install it (Debian, Ubuntu: as root, apt-get install qemu-user-static)"; exit 1; }
	for os in linux darwin; do for tags in '' noasm; do \
		GOOS=$$os GOARCH=arm64 CGO_ENABLED=0 $(GO) vet -tags "$$tags" $(ARM64) || exit 1; done; done
	$(if $(QEMU),GOOS=linux )GOARCH=arm64 CGO_ENABLED=0 $(GO) test $(QEMU) -short \
		-skip 'Allocate|ConcurrentUse|(Linear|Complex|Selective)Workers|WorkersDoNotChangeBits' $(ARM64)

test-race:
	$(GO) test -race -short $(RACE)

# Upstream's kernel.go has unreachable code, which is not ours to mend. What differs by
# system is in one package: the rest needs a C compiler for each, for SQLite.
test-kernel: kernel ## the kernel and its bindings: tests, vet for other systems
	$(GO) vet -unreachable=false $(OVERLAY) ./cmd/gophernotes
	GOOS=linux GOARCH=arm64 $(GO) vet ./cmd/gophernotes/descriptor
	GOOS=darwin GOARCH=arm64 $(GO) vet ./cmd/gophernotes/descriptor
	$(GO) test -vet=off $(OVERLAY) ./cmd/gophernotes
	$(GO) vet -tags gophernotes ./internal/bindings
	$(GO) test -tags gophernotes ./internal/bindings

test-jupyter: build kernel venv ## in a real Jupyter: the conformance suite, and every notebook from a clean kernel
	$(VENV)/bin/python cmd/gophernotes/testdata/conformance.py
	$(BIN) kernel install --prefix $(VENV)
	$(VENV)/bin/python notebooks/check.py --shared

test-browser: build kernel venv notebooks/browser/node_modules ## the notebooks in JupyterLab, in headless Chromium
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
		[ -n "$$CHROMIUM" ] || apt-get install -y -q chromium || { echo "no Chromium: install it, or name it in CHROMIUM"; exit 1; }
	$(BIN) kernel install --prefix $(VENV)
	cd notebooks/browser && node --test

notebooks/browser/node_modules: notebooks/browser/package-lock.json
	cd notebooks/browser && npm ci
	@touch $@

torture: ## kill, damage and fill the disk under the tracker, 200 times
	$(GO) run ./internal/torture -trials 200

mutants: ## put mistakes into the code, one at a time: a test must notice each
	$(GO) run ./internal/mutants

BENCHVENV := $(OUT)/bench-tracker-venv
bench-tracker: $(BENCHVENV)/ready ## compare the tracker with others, and check its gates
	$(GO) run ./bench/tracker -venv $(BENCHVENV) -out $(OUT)/bench-tracker.md
$(BENCHVENV)/ready: bench/tracker/requirements.txt
	@echo "setting up $(BENCHVENV): MLflow, trackio and Aim with what they need; minutes"
	python3 -m venv $(BENCHVENV)
	$(BENCHVENV)/bin/pip install --disable-pip-version-check -r $<
	@touch $@

measure-kernel: kernel venv ## time the kernel: ready, imports, interrupts
	$(VENV)/bin/python cmd/gophernotes/testdata/measure.py

docker: ## build the image gophersnake: the program, the kernel, JupyterLab
	docker build -t gophersnake .

test-docker: ## build the image and use it: command line, health, kernel, a notebook (ENGINE=podman for Podman)
	docker/test.sh

fuzz: # a short smoke run of every fuzz target
	@$(GO) list ./... | while read -r pkg; do \
		for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime 3s -fuzzminimizetime 20x $$pkg || exit 1; \
		done; done

bench: build ## time the kernels, growth with length; PyTorch, JAX, llama.cpp, MLflow and others beside ours (installs them: several GB)
	$(GO) test -run '^$$' -bench . -benchtime 200ms ./internal/kernel/... ./internal/device/cpu
	$(BIN) bench --out $(OUT)
	$(GO) run ./bench/peers -dir $(OUT)/bench -out docs/PERFORMANCE.md
	$(MAKE) --no-print-directory bench-tracker

study: build ## the ladder in full: an hour on two cores; goes on where it was interrupted
	$(BIN) ladder --preset full --db $(DB) --out $(OUT)

clean: ## remove what was built and written
	rm -rf bin $(OUT)
