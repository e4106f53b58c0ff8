// Secrets: after a busy run none of them is in anything that operators read, scrape, store or paste.
import { beforeAll, describe, expect, it } from "vitest";
import { deriveKeys, readSecret } from "../../../control-plane/src/domain/keys.js";
import { until } from "../../../control-plane/test/support/until.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";

const policyWith = (maxTokens: number) => policyOf([{ name: "default", maxTokens, tokenRefillRate: 0 }]);
const sluice = useInstallation({ policy: policyWith(5) });

/** The secret values, by their names. */
const secrets = new Map<string, string>();
let sessionIds: readonly string[] = [];

function nameSecrets(tokens: readonly string[]): void {
  const { secret, adminToken } = sluice();
  const reading = readSecret(secret);
  if (!reading.ok) throw new Error("the installation's secret is none");
  const keys = deriveKeys(reading.secret);
  secrets.set("the secret", secret).set("the secret, in base64", Buffer.from(secret, "hex").toString("base64"));
  secrets.set("the admin token", adminToken).set("the edge credential", keys.edgeCredential);
  for (const encoding of ["hex", "base64", "base64url"] as const) {
    secrets.set(`the token key, in ${encoding}`, Buffer.from(keys.tokenKey).toString(encoding));
    secrets.set(`the secret's text, in ${encoding}`, Buffer.from(secret).toString(encoding));
  }
  for (const [index, token] of tokens.entries()) secrets.set(`session token ${index}`, token);
}

/** Every way in which tokens come and go: admitted, denied, forged, revoked, unverified, pasted into wrong fields. */
async function beBusy(): Promise<void> {
  const issued = await Promise.all(Array.from({ length: 5 }, () => sluice().api.issue()));
  const trusted = await sluice().api.issue();
  const tokens = [...issued, trusted].map(({ token }) => token);
  nameSecrets(tokens);
  sessionIds = issued.map(({ id }) => id);
  for (const token of tokens.slice(0, 5)) {
    await sluice().statuses(token, 7);
    await sluice().send({ token: `${token}A` });
    await sluice().send({ path: `/?session=${token}` });
    await sluice().api.call("GET", `/v1/sessions/${token}`);
    await sluice().api.call("GET", `/v1/sessions?token=${token}`);
    await sluice().api.call("POST", "/v1/sessions", { userId: "u1", orgId: "o1", token });
  }
  await sluice().api.call("DELETE", `/v1/sessions/${sessionIds[0] ?? ""}`);
  await sluice().changePolicy(policyWith(6));
  await sluice().controlPlane.killHard();
  await sluice().statuses(trusted.token, 1);
  await sluice().controlPlane.start();
  await sluice().changePolicy(policyWith(7));
  await sluice().send({ path: "/the-last-request" });
  await until(() => {
    expect(sluice().envoy.log).toContain("/the-last-request");
  });
}

beforeAll(beBusy);

const expectNoSecretIn = (text: string): void => {
  const found = [...secrets].filter(([, value]) => text.includes(value)).map(([what]) => what);
  expect(found).toEqual([]);
};

describe("places where no secret stands", () => {
  it("Envoy's configuration dump shows no secret", async () => {
    const dump = await sluice().envoyAdmin.text("/config_dump?include_eds");
    expect(dump).toContain("SLUICE_SECRET");
    expectNoSecretIn(dump);
  });

  it.each(["/stats", "/stats/prometheus", "/clusters", "/listeners", "/server_info", "/certs", "/runtime"])(
    "Envoy's %s shows no secret",
    async (path) => {
      expectNoSecretIn(await sluice().envoyAdmin.text(path));
    },
  );

  it("Envoy's log, which is its access log too, shows no secret", () => {
    const { log } = sluice().envoy;
    expect(log).toContain("200 via_upstream");
    expect(log).toContain("401 sluice_invalid_session");
    expectNoSecretIn(log);
  });

  it("the control plane's most talkative log shows no secret", () => {
    const { log } = sluice().controlPlane;
    for (const id of sessionIds) expect(log).toContain(id);
    expect(log).toContain("/v1/sessions/:id");
    expectNoSecretIn(log);
  });

  it("the control plane's metrics show no secret", async () => {
    const metrics = await sluice().api.metricsText();
    expect(metrics).toContain("sluice_control_sessions_created_total");
    expectNoSecretIn(metrics);
  });
});
