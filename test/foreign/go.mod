// The filter in a host that others wrote: test/long/foreign-host.test.ts runs the tests of this module.
module sluice.test/foreign

go 1.25.0

require (
	github.com/tetratelabs/proxy-wasm-go-sdk v0.24.0
	github.com/tetratelabs/wazero v1.12.0
)

require golang.org/x/sys v0.44.0 // indirect
