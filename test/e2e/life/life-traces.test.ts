// One trace from a client's request to what the control plane does for it, with a real Envoy between, which traces too or not.
import { afterAll, describe, expect, it } from "vitest";
import { Collector, type CollectedSpan } from "../../../control-plane/test/support/collector.js";
import { until } from "../../../control-plane/test/support/until.js";
import { changed, MANAGER, prepend } from "../harness/bootstrap.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";

const collector = await Collector.listening();
afterAll(() => {
  collector.stop();
});

const CLIENT_SPAN = "00f067aa0ba902b7";
const ACQUIRE = "POST /edge/v1/acquire";
const traceOf = (digit: string): string => digit.repeat(32);

/** Envoy's own tracer, which sends to the same collector. */
const tracing = {
  provider: {
    name: "envoy.tracers.opentelemetry",
    typed_config: {
      "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
      service_name: "the-envoy",
      http_service: {
        http_uri: { uri: "http://collector/v1/traces", cluster: "collector", timeout: "1s" },
      },
    },
  },
};
const cluster = {
  name: "collector",
  type: "STATIC",
  load_assignment: {
    cluster_name: "collector",
    endpoints: [
      {
        lb_endpoints: [
          { endpoint: { address: { socket_address: { address: "127.0.0.1", port_value: collector.port } } } },
        ],
      },
    ],
  },
};

const sluice = useInstallation({
  policy: policyOf([{ name: "default", maxTokens: 100, tokenRefillRate: 0 }]),
  controlPlaneEnv: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: "50" },
  bootstrap: (yaml) =>
    changed(yaml, (document) => {
      document.setIn([...MANAGER, "tracing"], document.createNode(tracing));
      prepend(document, ["static_resources", "clusters"], [cluster]);
    }),
});

const ofTrace = (name: string, traceId: string): CollectedSpan[] =>
  collector.named(name).filter((span) => span.traceId === traceId);
const ofEnvoy = (): CollectedSpan[] =>
  collector.spans.filter(({ resource }) => resource["service.name"] === "the-envoy");

async function send(headers: Record<string, string>): Promise<void> {
  const { token } = await sluice().api.issue();
  const { status } = await fetch(`http://127.0.0.1:${sluice().ports.proxy}/`, {
    headers: { "x-session-id": token, ...headers },
  });
  expect(status).toBe(200);
}

describe("the trace of a client's request", () => {
  it("an acquire is part of the client's trace, beside Envoy's span, above the store's", async () => {
    const traceId = traceOf("a");
    await send({ traceparent: `00-${traceId}-${CLIENT_SPAN}-01`, tracestate: "rojo=1" });
    await until(() => {
      expect(ofTrace(ACQUIRE, traceId)).toHaveLength(1);
      expect(ofTrace("store session", traceId)).toHaveLength(1);
      return Promise.resolve();
    });
    const [acquire] = ofTrace(ACQUIRE, traceId);
    expect(acquire).toMatchObject({ parentId: CLIENT_SPAN, traceState: "rojo=1" });
    expect(acquire?.attributes).toMatchObject({ "sluice.edge": "sluice-edge", "http.response.status_code": 200 });
    expect(ofTrace("store session", traceId)[0]?.parentId).toBe(acquire?.spanId);
    await until(() => {
      expect(ofEnvoy().filter((span) => span.traceId === traceId)).toMatchObject([{ parentId: CLIENT_SPAN }]);
      return Promise.resolve();
    });
  });

  it("a trace that Envoy itself begins is not the acquire's: the filter is not shown it", async () => {
    const before = collector.named(ACQUIRE).length;
    await send({});
    await until(() => {
      expect(collector.named(ACQUIRE)).toHaveLength(before + 1);
      expect(ofEnvoy().some(({ parentId }) => parentId === "")).toBe(true);
      return Promise.resolve();
    });
    const acquire = collector.named(ACQUIRE).at(-1);
    expect(acquire?.parentId).toBe("");
    expect(ofEnvoy().map(({ traceId }) => traceId)).not.toContain(acquire?.traceId);
  });

  it("a client that keeps no trace of its request has none kept of the acquire", async () => {
    await send({ traceparent: `00-${traceOf("b")}-${CLIENT_SPAN}-00` });
    await send({ traceparent: `00-${traceOf("c")}-${CLIENT_SPAN}-01` });
    await until(() => {
      expect(ofTrace(ACQUIRE, traceOf("c"))).toHaveLength(1);
      return Promise.resolve();
    });
    expect(ofTrace(ACQUIRE, traceOf("b"))).toEqual([]);
  });
});
