# The two commands of the README, and what they are made of. Everything they need is installed by .ci/setup.
TARGET := $(or $(CARGO_TARGET_DIR),target)

.PHONY: run build test torture faults bench soak
run: build ## Build Madang and serve it
	@$(TARGET)/release/madang

build: ## Build the server and the site
	@.ci/setup build
	@echo '» Building the site and the server (about 10 minutes the first time, on two cores)' >&2
	@.ci/site
	@cargo build --locked --release --features ssr

test: ## Pass every test
	@.ci/test

torture: ## Try every promise many times, and print a table (about 15 minutes)
	@.ci/torture

faults: ## Put known faults into the server, and see that the proofs catch each (about 35 minutes)
	@.ci/faults

bench: ## Compare the fan-out with a bare loop, Bun, axum, ws and Socket.IO (about 35 minutes)
	@.ci/bench --chart $(abspath $(TARGET))/fan-out.svg

soak: ## Half an hour of everything at once, at half of what the server can
	@.ci/bench --rows soak
