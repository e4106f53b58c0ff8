package foreign

import (
	"strings"
	"testing"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"
)

func TestRejectsBadSettings(t *testing.T) {
	edge := newEdge(t, given.BadSettings, "foreign-1")
	rejects(t, edge, "edge settings rejected: policy.plans")
}

func TestRefusesToServeWithoutANodeID(t *testing.T) {
	rejects(t, newEdge(t, given.Settings, ""), "node.id: expected a name for this Envoy, got none (--service-node")
}

func rejects(t *testing.T, edge *edge, reason string) {
	if edge.host.StartPlugin() != types.OnPluginStartStatusFailed {
		t.Error("accepted")
	}
	if said := strings.Join(edge.host.GetErrorLogs(), "\n"); !strings.Contains(said, reason) {
		t.Errorf("it says %q", said)
	}
}

func TestAdmitsASessionThatTheControlPlaneKnows(t *testing.T) {
	edge := serving(t)
	id := edge.admitted()
	edge.host.CallOnResponseHeaders(id, [][2]string{{":status", "200"}}, true)
	if got := fieldOf(edge.host.GetCurrentResponseHeaders(id), "ratelimit"); got != `"default";r=1;t=2` {
		t.Errorf("RateLimit: %s", got)
	}
	if next, paused := edge.send(given.Token); paused {
		t.Errorf("its second request: %v", edge.host.GetSentLocalResponse(next))
	}
	edge.host.CompleteHttpContext(id)
}

func TestDeniesWithoutAGenuineToken(t *testing.T) {
	edge := serving(t)
	for token, code := range map[string]string{"": "MISSING_SESSION", "invented": "INVALID_SESSION", given.Forged: "INVALID_SESSION"} {
		id, _ := edge.send(token)
		answer := edge.host.GetSentLocalResponse(id)
		if answer == nil || answer.StatusCode != 401 || !strings.Contains(string(answer.Data), code) {
			t.Errorf("%q gets %v", token, answer)
		}
	}
}

func TestLimitsAndSaysWhenToComeBack(t *testing.T) {
	edge := serving(t)
	edge.admitted()
	edge.send(given.Token)
	plain, _ := edge.send(given.Token)
	answer := edge.host.GetSentLocalResponse(plain)
	if answer == nil || answer.StatusCode != 429 || fieldOf(answer.Headers, "retry-after") != "2" {
		t.Fatalf("above the limit: %v", answer)
	}
	grpc, _ := edge.send(given.Token, [2]string{"content-type", "application/grpc"})
	answer = edge.host.GetSentLocalResponse(grpc)
	if answer == nil || answer.GRPCStatus != 8 || fieldOf(answer.Headers, "grpc-message") != "Rate limit exceeded for session" {
		t.Errorf("above the limit, over gRPC: %v", answer)
	}
	edge.time.pass(2000)
	if _, paused := edge.send(given.Token); paused {
		t.Error("two seconds later it is denied still")
	}
}

func TestCountsUnderNumbersThatBeginWithZero(t *testing.T) {
	edge := serving(t)
	edge.admitted()
	edge.send("")
	edge.send("")
	edge.send("invented")
	edge.send(given.Token)
	edge.send(given.Token)
	edge.tick(1)
	// In the order in which the filter names them: the host looks up the names where they stood then.
	for id, want := range map[proxywasm.MetricCounter]uint64{0: 2, 1: 1, 2: 0} {
		if got := id.Value(); got != want {
			t.Errorf("metric %d: got %d, want %d", id, got, want)
		}
	}
	for tags, want := range map[string]uint64{
		"outcome=.=allowed;.;plan=.=default;.;":                   2,
		"outcome=.=limited;.;plan=.=default;.;limit=.=default;.;": 1,
	} {
		name := "sluice_requests_total." + tags
		if got, err := edge.host.GetCounterMetric(name); err != nil || got != want {
			t.Errorf("%s: got %d (%v), want %d", name, got, err, want)
		}
	}
}

func TestHearsOfARevocationOnATick(t *testing.T) {
	edge := serving(t)
	if edge.host.GetTickPeriod() != 100 {
		t.Fatalf("it ticks every %d ms", edge.host.GetTickPeriod())
	}
	edge.admitted()
	edge.tick(1)
	edge.answer(watch, given.RevokedAnswer)
	id, _ := edge.send(given.Token)
	answer := edge.host.GetSentLocalResponse(id)
	if answer == nil || answer.StatusCode != 401 {
		t.Errorf("a revoked session gets %v", answer)
	}
}
