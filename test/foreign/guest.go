// Package foreign runs the filter, the very file that Envoy gets, in the host of Tetrate's Proxy-Wasm SDK for Go.
package foreign

import (
	"context"
	"crypto/rand"
	_ "unsafe" // for go:linkname

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// The host's own loader of modules gives its guests no environment and no answers of calls, wants callbacks that each
// stream would pay for, and keeps these two to itself.

//go:linkname exportHostABI github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/proxytest.exportHostABI
func exportHostABI(ctx context.Context, r wazero.Runtime) error

//go:linkname registerHTTPCall github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.RegisterHttpCallout
func registerHTTPCall(id uint32, answered func(headers, bodyBytes, trailers int))

const rootID = 1

// clock is both of the guest's clocks; tests move it.
type clock struct{ wallMs, monotonicNs int64 }

func (c *clock) pass(ms int64) {
	c.wallMs += ms
	c.monotonicNs += ms * 1e6
}

// guest is the filter, as the host sees each of its contexts.
type guest struct {
	types.DefaultVMContext
	types.DefaultPluginContext
	module  api.Module
	runtime wazero.Runtime
}

func load(wasm []byte, environment map[string]string, time *clock) (*guest, error) {
	ctx := context.Background()
	runtime := wazero.NewRuntime(ctx)
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, runtime); err != nil {
		return nil, err
	}
	if err := exportHostABI(ctx, runtime); err != nil {
		return nil, err
	}
	config := wazero.NewModuleConfig().WithStartFunctions("_initialize").WithRandSource(rand.Reader).
		WithWalltime(func() (int64, int32) { return time.wallMs / 1000, int32(time.wallMs % 1000 * 1e6) }, 1).
		WithNanotime(func() int64 { return time.monotonicNs }, 1)
	for name, value := range environment {
		config = config.WithEnv(name, value)
	}
	module, err := runtime.InstantiateWithConfig(ctx, wasm, config)
	return &guest{module: module, runtime: runtime}, err
}

// call enters a callback of the filter. A trap ends the test.
func (g *guest) call(name string, arguments ...uint64) uint64 {
	results, err := g.module.ExportedFunction(name).Call(context.Background(), arguments...)
	if err != nil {
		panic(err)
	}
	if len(results) == 0 {
		return 0
	}
	return results[0]
}

// hearsAnswerOf has the answer to a call come to the root, as it does in Envoy.
func (g *guest) hearsAnswerOf(id uint32) {
	if err := proxywasm.SetEffectiveContext(rootID); err != nil {
		panic(err)
	}
	registerHTTPCall(id, func(headers, bodyBytes, trailers int) {
		g.call("proxy_on_http_call_response", rootID, uint64(id), uint64(headers), uint64(bodyBytes), uint64(trailers))
	})
}

func (g *guest) OnVMStart(size int) types.OnVMStartStatus {
	return g.call("proxy_on_vm_start", rootID, uint64(size)) == 1
}

func (g *guest) NewPluginContext(id uint32) types.PluginContext {
	g.call("proxy_on_context_create", uint64(id), 0)
	return g
}

func (g *guest) OnPluginStart(size int) types.OnPluginStartStatus {
	return g.call("proxy_on_configure", rootID, uint64(size)) == 1
}

func (g *guest) OnTick() { g.call("proxy_on_tick", rootID) }

func (g *guest) NewHttpContext(id uint32) types.HttpContext {
	g.call("proxy_on_context_create", uint64(id), rootID)
	return &stream{guest: g, id: uint64(id)}
}

type stream struct {
	types.DefaultHttpContext
	guest *guest
	id    uint64
}

func (s *stream) OnHttpRequestHeaders(headers int, _ bool) types.Action {
	return types.Action(s.guest.call("proxy_on_request_headers", s.id, uint64(headers), 1))
}

func (s *stream) OnHttpResponseHeaders(headers int, _ bool) types.Action {
	return types.Action(s.guest.call("proxy_on_response_headers", s.id, uint64(headers), 1))
}

func (s *stream) OnHttpStreamDone() { s.guest.call("proxy_on_delete", s.id) }
