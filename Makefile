# Everything to do with a checkout of Apus. `make` alone lists the targets.

SWIFT_BUILD = swift build --quiet

.DEFAULT_GOAL := help
.PHONY: help demo build test bench fuzz chaos check format lint clean install

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: release ## See it work: broker, traffic, alerts, in one process
	@.build/release/apus demo

build: install ## Build for debugging
	@swift build

# What starts processes and brokers runs one test after the other: hundreds at once take each other's time and file
# descriptors.
APART = CommandTests|BrokerTests|KafkaClientTests|StreamingTests|OperationsTests

# What counts instructions has a process to itself: beside other tests two counts of the same can differ.
ALONE = InstructionTests

test: install ## Run all tests
	@ops/ci/check-deployment
	@swift test --disable-xctest --skip '$(APART)|$(ALONE)'
	@swift test --disable-xctest --skip-build --no-parallel --filter '$(ALONE)'
	@swift test --disable-xctest --skip-build --no-parallel --filter '$(APART)'

bench: install ## Measure the speed of this machine, and write ops/benchmarks.md
	@echo "Building for release; the first time takes some minutes"
	@$(SWIFT_BUILD) --configuration release --product apus
	@$(SWIFT_BUILD) --configuration release --product bench
	@.build/release/bench --report ops/benchmarks.md

fuzz: install ## Throw mutated queries, records and state at the engine; FUZZ=count, 100000 by default
	@swift build --quiet --product fuzz
	@.build/debug/fuzz query --count $(or $(FUZZ),100000)
	@.build/debug/fuzz event --count $(or $(FUZZ),100000)
	@.build/debug/fuzz state --count $(or $(FUZZ),100000)

chaos: release ## Kill, stop and cut off instances under load; CHAOS='--kills 20 --seed 7' and more of ops/chaos/run
	@ops/chaos/run --apus .build/release/apus $(CHAOS)

check: lint ## Check layers, scripts and formatting; no build
	@ops/ci/check-layers
	@ops/ci/check-scripts

format: ## Format the sources
	@swift format --in-place --parallel --recursive Package.swift Sources Tests

lint: ## Check the formatting
	@swift format lint --strict --parallel --recursive Package.swift Sources Tests

clean: ## Remove what was built
	@rm -rf .build

install: ## Install the libraries that are missing
	@ops/install

.PHONY: release
release: install
	@echo "Building for release; the first time takes some minutes"
	@$(SWIFT_BUILD) --configuration release --product apus
