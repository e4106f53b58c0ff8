// Envoy and control plane over TLS, each showing the other a certificate.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseDocument } from "yaml";
import { authorityIn, pem } from "../../../control-plane/test/support/certificates.js";
import { until } from "../../../control-plane/test/support/until.js";
import { ControlPlaneClient } from "../harness/control-plane-client.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";
import { reported } from "../harness/settled.js";

const folder = mkdtempSync(join(tmpdir(), "sluice-e2e-tls-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
const authority = authorityIn(folder, "authority");
const server = authority.issue("control-plane");
const client = authority.issue("edge");
const ca = readFileSync(authority.cert);

const TRANSPORT_SOCKET = {
  name: "envoy.transport_sockets.tls",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
    common_tls_context: {
      tls_certificates: [{ certificate_chain: { filename: client.cert }, private_key: { filename: client.key } }],
      validation_context: {
        trusted_ca: { filename: authority.cert },
        match_typed_subject_alt_names: [{ san_type: "IP_ADDRESS", matcher: { exact: "127.0.0.1" } }],
      },
    },
  },
};

/** The cluster of the control plane speaks TLS, and shows the edge's certificate. */
function withTls(yaml: string): string {
  const document = parseDocument(yaml);
  const { clusters } = (document.toJS() as { static_resources: { clusters: { name: string }[] } }).static_resources;
  for (const [index, { name }] of clusters.entries()) {
    if (name === "upstream") continue;
    document.setIn(["static_resources", "clusters", index, "transport_socket"], TRANSPORT_SOCKET);
  }
  return document.toString({ lineWidth: 0 });
}

const sluice = useInstallation({
  edges: ["gw-1", "gw-2"],
  policy: policyOf([{ name: "default", maxTokens: 20, tokenRefillRate: 0 }], {
    onUnreachable: "deny",
    controlPlane: { reportInterval: 300 },
  }),
  bootstrap: withTls,
  tls: { ca, ...pem(client) },
  controlPlaneEnv: {
    SLUICE_TLS_CERT_FILE: server.cert,
    SLUICE_TLS_KEY_FILE: server.key,
    SLUICE_TLS_CLIENT_CA_FILE: authority.cert,
  },
});

describe("an installation with mutual TLS", () => {
  it("a session is acquired, reported and revoked over mutual TLS, like its policy", async () => {
    const { id, token } = await sluice().api.issue();
    for (const edge of sluice().edges) expect(await edge.statuses(token, 3)).toEqual([200, 200, 200]);
    await reported(sluice(), id, 6);
    await sluice().changePolicy(
      policyOf([{ name: "default", maxTokens: 30, tokenRefillRate: 0 }], { controlPlane: { reportInterval: 300 } }),
    );
    for (const edge of sluice().edges) {
      expect((await edge.send({ token })).headers["ratelimit-policy"]).toBe('"default";q=30');
    }
    await sluice().api.revoke(id);
    for (const edge of sluice().edges) {
      await until(async () => {
        expect((await edge.send({ token })).status).toBe(401);
      });
    }
  });

  it("a client without a certificate of the authority gets no answer", async () => {
    const { ports, adminToken } = sluice();
    const stranger = pem(authorityIn(folder, "stranger").issue("nobody"));
    const anonymous = new ControlPlaneClient(ports, adminToken, { ca });
    const foreign = new ControlPlaneClient(ports, adminToken, { ca, ...stranger });
    const plain = new ControlPlaneClient(ports, adminToken);
    for (const one of [anonymous, foreign, plain]) await expect(one.call("GET", "/v1/edges")).rejects.toThrow();
  });

  it("a supervisor's probe and a scrape need no certificate of the authority", async () => {
    const { ports } = sluice();
    const status = `http://127.0.0.1:${ports.status}`;
    for (const path of ["/healthz", "/readyz", "/metrics"]) expect((await fetch(status + path)).status).toBe(200);
    await expect(fetch(`http://127.0.0.1:${ports.http}/healthz`)).rejects.toThrow();
  });
});
