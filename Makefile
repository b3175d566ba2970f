# make          builds bin/berth
# make run      compares policies on a recorded cluster that comes with the program, as a first example
# make test     runs the tests
# make verify   compares with published results and recorded traces (BERTH_TRACES)
# make parity   compares with kube-scheduler's own code; SEED=… PODS=… choose other pods, and more
# make mutate   makes mistakes in the plugins on purpose, and says which the comparison doesn't find;
#               EVERY=… tries every so many-th
# make lint     checks format, vets, and holds the source to its own rules
# make bench    runs the benchmarks
# make eviction node health, taint eviction, budgets and node pressure against upstream's own controllers;
#               SEED=… TIMELINES=… STORIES=… choose others, and more of them
# make quota    quotas and admission against upstream's plugins and quota controller;
#               SEED=… REQUESTS=… choose others, and more of them
# make e2e      plays the lab's story on real kubelets: Linux, root; installs Debian's packages for it,
#               and builds Kubernetes the first time; make e2e-lab tries every fault of a lab; make e2e-vm has
#               a kubelet in a virtual machine lose its power and come back
# make counting builds bin/berth-counting, whose bench counts the statements that plugins run
# make bench-upstream  plays kube-scheduler's own performance tests on its code and on Berth;
#               NODES=500,5000 RUNS=10 CASES=… MEASURE=… choose sizes, runs, tests, pods measured;
#               MEASURE_UPSTREAM=… the first of these pods, which upstream's code places: it takes long
# make bench-live  has Berth and kube-scheduler place the same pods on one API server, in turn (root, Linux);
#               NODES=300 PODS=5000 ROUNDS=2 choose sizes and turns, SAVE=… keeps logs and results
# make fuzz     runs each fuzz test for FUZZTIME; FUZZ=./traces/... those of some packages only

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
ifeq ($(filter oneshell,$(.FEATURES)),)
$(error GNU make 3.82 or newer is needed: older ones ignore .SHELLFLAGS, and failures behind a pipe)
endif

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
FUZZTIME ?= 30s
FUZZ ?= ./...

# The module that links kube-scheduler's own code: building it takes some minutes the first time.
UPSTREAM := bench/upstream
SEED ?= 1
PODS ?= 20000

.PHONY: build run test parity eviction quota mutate verify lint bench bench-upstream bench-live counting fuzz e2e e2e-lab e2e-vm

build:
	go build -trimpath -ldflags "-X github.com/berthsim/berth/cmd/berth/app.Version=$(VERSION)" -o bin/berth ./cmd/berth

run: build
	./bin/berth compare --policies random,dotprod,gpuclustering,gpupacking,bestfit,fgd --seeds 42-46 --baseline bestfit

test:
	go test ./...
	cd $(UPSTREAM) && PODS=4000 CASES=500 go test ./...

parity:
	@cd $(UPSTREAM) && SEED=$(SEED) PODS=$(PODS) go test -count=1 -timeout 12h -v -run '^(TestParity|TestScenarios)$$' ./parity | grep -v '^=== ' | \
		awk '/ comparisons, / { sub(/^.*: /, ""); last = $$0; next } { print; fflush() } END { if (last == "") { print "parity: nothing was compared"; exit 1 }; print last }'

TIMELINES ?= 500
STORIES ?= 2500
eviction:
	@cd $(UPSTREAM) && SEED=$(SEED) TIMELINES=$(TIMELINES) CASES=$(STORIES) go test -count=1 -timeout 1h -v \
		-run '^Test(Lifecycle|Kept|Mutants|Disruption|Pressure|OOM|Room|Shutdown|Thresholds)$$' ./lifecycle ./disruption ./pressure | grep -v '^=== \|^    --- PASS'

REQUESTS ?= 20000
quota:
	@cd $(UPSTREAM) && SEED=$(SEED) REQUESTS=$(REQUESTS) go test -count=1 -timeout 1h -v \
		-run '^Test(Quota|Kept|Mutants)$$' ./quota | grep -v '^=== \|^    --- PASS'

EVERY ?= 1
mutate:
	@cd $(UPSTREAM) && go run ./mutate -seed $(SEED) -every $(EVERY) -explained ../../docs/fidelity.md

# What is checked goes to the log of tests called TestVerify..., in files with
# the build tag verify; what has none of them stays quiet.
verify:
	@go test -count=1 -tags verify -timeout 30m -run '^TestVerify' -v ./... | awk ' \
		/^=== (RUN|PAUSE|CONT|NAME) / || /^PASS$$/ || /\[no test(s to run| files)\]$$/ || /^testing: warning: no tests to run$$/ { next } \
		/^--- (PASS|FAIL|SKIP): / { tests++ } \
		{ print; fflush() } \
		END { if (!tests) { print "verify: there is no test called TestVerify..."; exit 1 } }'
	$(MAKE) --no-print-directory parity
	$(MAKE) --no-print-directory mutate EVERY=12
	$(MAKE) --no-print-directory eviction
	$(MAKE) --no-print-directory quota

lint:
	@files=$$(gofmt -l .); if [ -n "$$files" ]; then echo "gofmt would change:"; echo "$$files"; exit 1; fi
	go vet ./...
	go vet -tags verify ./...
	go vet -tags e2e ./cluster/lab/... ./cmd/berth/e2e
	go tool staticcheck ./...
	go tool staticcheck -tags verify ./...
	go tool staticcheck -tags e2e ./cluster/lab/... ./cmd/berth/e2e
	cd $(UPSTREAM) && go vet ./... && go tool -modfile=../../go.mod staticcheck ./...
	go test -count=1 ./internal/tidy

bench:
	go test -run '^$$' -bench . -benchmem ./...

# What the nodes of a lab need, by Debian's names. Where there is no apt, berth lab up says what is missing.
LAB_PACKAGES := containerd runc containernetworking-plugins iptables e2fsprogs
VM_PACKAGES := $(LAB_PACKAGES) qemu-system-x86 busybox-static

# $(call install,PACKAGES) has those installed that are not. A kernel for machines comes from apt's lists,
# which a fresh container doesn't have.
install = @[ "$$(uname -s)" = Linux ] && [ "$$(id -u)" = 0 ] || { echo "$@: real kubelets need Linux and root: sudo make $@"; exit 1; }; \
	if command -v apt-get >/dev/null; then \
		missing=$$(for p in $(1); do dpkg-query -W -f '$${db:Status-Status}\n' $$p 2>/dev/null | grep -qx installed || echo $$p; done); \
		if [ -n "$$missing" ] || ! apt-cache show linux-image-cloud-amd64 >/dev/null 2>&1; then apt-get -qq update; fi; \
		[ -z "$$missing" ] || DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $$missing; \
	fi
e2e-test = go test -tags e2e -count=1 -timeout 60m -v

e2e:
	$(call install,$(LAB_PACKAGES))
	$(e2e-test) -run '^TestRealKubelets$$' ./cmd/berth/e2e

e2e-lab:
	$(call install,$(LAB_PACKAGES))
	$(e2e-test) ./cluster/lab

e2e-vm:
	$(call install,$(VM_PACKAGES))
	$(e2e-test) -run '^TestVirtualKubelet$$' ./cmd/berth/e2e

counting:
	go build -trimpath -cover -covermode=atomic -coverpkg=github.com/berthsim/berth/... -ldflags "-X github.com/berthsim/berth/cmd/berth/app.Version=$(VERSION)" -o bin/berth-counting ./cmd/berth

NODES ?= 500
RUNS ?= 3
CASES ?=
MEASURE ?= 0
MEASURE_UPSTREAM ?= 200
bench-upstream:
	@cd $(UPSTREAM) && go run ./perf/compare -nodes '$(NODES)' -runs $(RUNS) -cases '$(CASES)' -pods $(MEASURE) -upstream $(MEASURE_UPSTREAM)

ROUNDS ?= 2
SAVE ?=
bench-live: NODES = 300
bench-live: PODS = 5000
bench-live:
	$(call install,$(LAB_PACKAGES))
	@go run ./cmd/berth/e2e/crowd -nodes $(NODES) -pods $(PODS) -rounds $(ROUNDS) -save '$(SAVE)'

# go test fuzzes one test of one package at a time. What isn't of this module is fuzzed if FUZZ
# leaves nothing out.
fuzz:
	@found=$$(go test -list '^Fuzz' $(FUZZ) | awk '/^Fuzz/ { names[n++] = $$1 } /^ok/ { for (i = 0; i < n; i++) print $$2, names[i]; n = 0 }'); \
	[ -n "$$found" ] || { echo "fuzz: there is no fuzz test"; exit 1; }; \
	while read -r package name; do \
		echo "$$package $$name"; \
		go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "$$package" </dev/null; \
	done <<<"$$found"
	@if [ '$(FUZZ)' = ./... ]; then \
		echo $(UPSTREAM)/parity FuzzParity; \
		cd $(UPSTREAM); go test -run '^$$' -fuzz '^FuzzParity$$' -fuzztime $(FUZZTIME) -fuzzminimizetime 10x ./parity; \
	fi
