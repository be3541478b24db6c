# Everything a developer does. On Debian, as root: what is missing is installed by package name.

BUILD   := gcc libc6-dev
SERVERS := nginx-light rsyslog nftables iptables iproute2 curl procps util-linux bsdutils
TESTS   := $(SERVERS) netcat-openbsd libcap2-bin openssh-server openssh-client strace keyutils \
	   apache2 unbound redis-server postgresql bind9-dnsutils dns-root-data
PEERS   := $(SERVERS) hyperfine bubblewrap firejail

help: ## tell what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile

build: ## the command and its plugins, in target/release
	cargo build --workspace --release

demo: ## the article's scenario as a story, with a check mark per claim, by nft and by iptables
	scripts/need $(BUILD) $(SERVERS)
	cargo build --workspace --release
	scripts/demo

test: ## unit tests, and end-to-end tests each on a host of its own
	scripts/need $(BUILD) $(TESTS)
	cargo build --workspace --profile test-run
	cargo test --workspace --exclude jail-tests --profile test-run --no-fail-fast
	cargo test --package jail-tests --profile test-run --no-fail-fast

stress: ## 2,000 jails started by a program of many threads that never rest
	scripts/need $(BUILD) $(SERVERS)
	cargo build --workspace --profile test-run
	scripts/host "$${CARGO_TARGET_DIR:-target}/test-run/embedder" 2000

fuzz: ## the parsers of the filter's options, a minute each, by cargo-fuzz
	scripts/need $(BUILD) g++
	command -v cargo-fuzz >/dev/null || cargo install --locked cargo-fuzz
	for target in $$(basename -s .rs fuzz/targets/*.rs); do \
		RUSTC_BOOTSTRAP=1 cargo fuzz run $$target -- -max_total_time=60 -timeout=10 || exit; done

check: ## format, lints, documentation, scripts, and that a starting jail's code calls nothing but the kernel
	scripts/need $(BUILD) shellcheck
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps
	scripts/child
	shellcheck scripts/* .ci/run tests/escape/try tests/escape/build tests/escape/naive tests/escape/attacks/*.sh

bench: ## ours and the peers', side by side
	scripts/need $(BUILD) $(PEERS)
	cargo build --workspace --release
	scripts/bench

compare-security: ## the attacks under jail, Firejail and bubblewrap, side by side
	scripts/need $(BUILD) $(TESTS) bubblewrap firejail
	cargo build --workspace --profile test-run
	tests/escape/build target/test-run
	scripts/compare-security

.PHONY: help build demo test stress fuzz check bench compare-security
