package foreign

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/proxytest"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"
)

// scene is what test/long/foreign-host.test.ts made: the filter's file, and the documents that go in and out.
type scene struct {
	Wasm, Secret, Settings, BadSettings string
	AtMs                                int64
	Token, SessionID, Forged            string
	LiveAnswer, RevokedAnswer           string
}

var given scene

func TestMain(m *testing.M) {
	text, err := os.ReadFile(os.Getenv("SLUICE_TEST_SCENE"))
	if err == nil {
		err = json.Unmarshal(text, &given)
	}
	if err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// place is where the host keeps a call: it gives the number of one that was answered to the next.
type place struct {
	context uint32
	index   int
}

// edge is the host with the filter in it.
type edge struct {
	t        *testing.T
	host     proxytest.HostEmulator
	guest    *guest
	time     *clock
	answered map[place]bool
	streams  []uint32
}

func newEdge(t *testing.T, settings string, nodeID string) *edge {
	wasm, err := os.ReadFile(given.Wasm)
	if err != nil {
		t.Fatal(err)
	}
	time := &clock{wallMs: given.AtMs, monotonicNs: 1e15}
	guest, err := load(wasm, map[string]string{"SLUICE_SECRET": given.Secret}, time)
	if err != nil {
		t.Fatal(err)
	}
	options := proxytest.NewEmulatorOption().WithVMContext(guest).WithPluginConfiguration([]byte(settings))
	if nodeID != "" {
		options = options.WithProperty([]string{"xds", "node", "id"}, []byte(nodeID))
	}
	host, reset := proxytest.NewHostEmulator(options)
	t.Cleanup(func() {
		reset()
		guest.runtime.Close(context.Background())
	})
	if host.StartVM() != types.OnVMStartStatusOK {
		t.Fatal("the VM does not start")
	}
	return &edge{t: t, host: host, guest: guest, time: time, answered: map[place]bool{}}
}

func serving(t *testing.T) *edge {
	edge := newEdge(t, given.Settings, "foreign-1")
	if edge.host.StartPlugin() != types.OnPluginStartStatusOK {
		t.Fatalf("rejected: %v", edge.host.GetErrorLogs())
	}
	return edge
}

// send sends a request with this token and more headers. Paused: it waits, or was answered.
func (e *edge) send(token string, more ...[2]string) (id uint32, paused bool) {
	id = e.host.InitializeHttpContext()
	e.streams = append(e.streams, id)
	headers := append([][2]string{{":method", "GET"}, {":path", "/"}, {":authority", "service.test"}}, more...)
	action := e.host.CallOnRequestHeaders(id, append(headers, [2]string{"x-session-id", token}), true)
	return id, action == types.ActionPause
}

// admitted brings a session into the table, by the control plane's answer.
func (e *edge) admitted() uint32 {
	id, paused := e.send(given.Token)
	if !paused {
		e.t.Fatal("a session that the filter has not asked about was let through")
	}
	e.answer(acquire, given.LiveAnswer)
	if e.host.GetCurrentHttpStreamAction(id) != types.ActionContinue {
		e.t.Fatalf("a session that lives still waits, or was answered: %v", e.host.GetSentLocalResponse(id))
	}
	return id
}

// What only the body of such a call has. The host keeps a copy of bodies; headers it looks up where the filter wrote them,
// which has written others there since.
const (
	acquire = `"session":`
	watch   = `"since":`
)

// answer answers the one call of this kind that is out.
func (e *edge) answer(kind, body string) {
	for _, context := range append([]uint32{rootID}, e.streams...) {
		for index, call := range e.host.GetCalloutAttributesFromContext(context) {
			if e.answered[place{context, index}] || !strings.Contains(string(call.Body), kind) {
				continue
			}
			e.answered[place{context, index}] = true
			e.guest.hearsAnswerOf(call.CalloutID)
			e.host.CallOnHttpCallResponse(call.CalloutID, [][2]string{{":status", "200"}}, nil, []byte(body))
			return
		}
	}
	e.t.Fatalf("no call with %s is out", kind)
}

func (e *edge) tick(times int) {
	for i := 0; i < times; i++ {
		e.time.pass(int64(e.host.GetTickPeriod()))
		e.host.Tick()
	}
}

func fieldOf(headers [][2]string, name string) string {
	for _, header := range headers {
		if header[0] == name {
			return header[1]
		}
	}
	return ""
}
