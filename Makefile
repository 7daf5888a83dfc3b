# nsscript: `make run` and `make test` need nothing but Go, git and make; they
# get what else they want.

GO      ?= go
PREFIX  ?= /usr/local
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS := -s -w -X main.version=$(VERSION)

GOLANGCI         := .tools/golangci-lint
GOLANGCI_VERSION := v2.15.0

# The programs that labs and tests call, as PROGRAM=PACKAGE of Debian and Ubuntu.
RUN_PROGRAMS  := iptables=iptables
TEST_PROGRAMS := $(RUN_PROGRAMS) newuidmap=uidmap ip=iproute2 ping=iputils-ping tcpdump=tcpdump nft=nftables \
	nc=netcat-openbsd ps=procps unshare=util-linux setpriv=util-linux sysctl=procps \
	dig=bind9-dnsutils busybox=busybox

# A second kernel is run by these; it and the rest come from .ci/kernel/get.
KERNEL_PROGRAMS := $(TEST_PROGRAMS) qemu-system-x86_64=qemu-system-x86 wg=wireguard-tools ethtool=ethtool

.PHONY: run test test-kernels cross truth torture fuzz race bench bench-peers lint fmt build install reference deps-run deps-test

run: deps-run build
	bin/nsscript run --rm --sandbox examples/three_tier_firewall.star

build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "$(LDFLAGS)" -o bin/nsscript ./cmd/nsscript

test: deps-test
	$(GO) vet ./...
	@# Not from the cache: the program under test is built by the tests themselves.
	$(GO) test -count=1 -timeout 30m ./...

# The command for macOS, which plans, draws and checks labs.
cross:
	GOOS=darwin GOARCH=arm64 CGO_ENABLED=0 $(GO) build -trimpath -ldflags "$(LDFLAGS)" -o bin/nsscript-darwin-arm64 ./cmd/nsscript
	GOOS=darwin GOARCH=arm64 CGO_ENABLED=0 $(GO) vet ./...

# What this machine's kernel may lack is tried in another one, which qemu boots.
KERNEL_TESTS ?= cmd/nsscript:^TestKinds cmd/nsscript:^TestImportedKinds builtins/op:^TestNewLinks examples:^TestNeeding \
	cmd/nsscript:'^TestDocExamples$$/^(vlan|bond|tunnel|ipvlan|dummy|vrf|wireguard|Bridge.vlan|Link.shape|Wireguard.peer)$$'

test-kernels:
	@.ci/deps $(KERNEL_PROGRAMS)
	@GO="$(GO)" .ci/kernel/test $(KERNEL_TESTS)

# Everything that tests try only in part, for about an hour.
torture: deps-test
	NSSCRIPT_TORTURE=1 $(GO) test -count=1 -parallel 4 -timeout 80m -v -run Torture ./...

# What reads strings and files, fed with what nobody would write.
FUZZTIME ?= 20s
FUZZ     := interp:FuzzRun interp:FuzzCursor interp/format:FuzzSource interp/static:FuzzLook builtins:FuzzValues builtins/op:FuzzIptablesArgs builtins/kernel:FuzzListedRule \
	builtins/probe/capture:FuzzSummary builtins/lab:FuzzJournal builtins/lab:FuzzRegistry builtins/probe/filter:FuzzCompile builtins/probe/trace:FuzzPacket \
	cmd/nsscript/internal/markdown:FuzzRender builtins/probe/dns:FuzzAnswer builtins/probe/dhcp:FuzzMessage builtins/graph:FuzzNames

fuzz:
	@for target in $(FUZZ); do \
		$(GO) test -run '^$$' -fuzz "^$${target##*:}\$$" -fuzztime $(FUZZTIME) "./$${target%%:*}" || exit 1; \
	done

# The race detector needs a C compiler.
race: deps-test
	@.ci/deps gcc=build-essential
	CGO_ENABLED=1 $(GO) test -race -count=1 ./...

# The networks that are broken in a known way, and the sound ones: what trace() says of
# them, and the score.
truth: deps-test
	@$(GO) test -count=1 -v -run TestTruth ./cmd/nsscript > truth.out 2>&1; status=$$?; \
	grep -E 'FAIL: TestTruth/of/|ground truth: ' truth.out; rm -f truth.out; exit $$status

# How fast it is, beside the least that the kernel asks for. ONLY=star measures a part;
# what takes minutes is measured by ONLY='fat tree' and by bench-peers.
ONLY  ?=
RUNS  ?= 5
BENCH  = bin/nsbench -only '$(ONLY)' -runs $(RUNS)

bench: deps-test build bin/nsbench
	@$(BENCH)

# Beside other programs too, as far as they are installed; the table in the README is made of it.
bench-peers: deps-test build bin/nsbench .tools/starlark
	@$(BENCH) -peers $(if $(ONLY),,-readme README.md)

.PHONY: bin/nsbench
bin/nsbench:
	CGO_ENABLED=0 $(GO) build -trimpath -o $@ ./cmd/nsbench

# The interpreter alone, of the version that is built in.
STARLARK_VERSION = $(shell $(GO) list -m -f '{{.Version}}' go.starlark.net)

.tools/starlark: go.mod
	GOBIN="$(CURDIR)/.tools" CGO_ENABLED=0 $(GO) install go.starlark.net/cmd/starlark@$(STARLARK_VERSION)
	@touch $@

lint: $(GOLANGCI)
	@unformatted="$$(gofmt -l cmd interp builtins stdlib examples)"; \
	if [ -n "$$unformatted" ]; then echo "not formatted: $$unformatted"; exit 1; fi
	$(GOLANGCI) run ./...

$(GOLANGCI):
	GOBIN="$(CURDIR)/.tools" $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)

fmt:
	gofmt -w cmd interp builtins stdlib examples

install: build
	install -D -m 0755 bin/nsscript "$(DESTDIR)$(PREFIX)/bin/nsscript"

# The reference comes from the descriptions beside the builtins, the README's
# tables from their first sentences and from the examples' first lines.
reference:
	$(GO) test ./builtins -run TestReadme -update
	$(GO) test ./examples -run TestReadme -update
	$(GO) test ./cmd/nsscript -run "TestReferenceFile|TestReadmeDrawing|TestReadmeExercises" -update

deps-run:
	@.ci/deps $(RUN_PROGRAMS)

deps-test:
	@.ci/deps $(TEST_PROGRAMS)
