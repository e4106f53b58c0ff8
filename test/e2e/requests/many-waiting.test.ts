// Requests that wait by the hundred, and whose wait ends in one moment: each is answered, and no worker's VM ends of it.
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { ClientHttp2Session, OutgoingHttpHeaders } from "node:http2";
import { until } from "../../../control-plane/test/support/until.js";
import { drive, type LoadResult, times } from "../harness/http2-load.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";

/** Half of them on each worker. */
const CONNECTIONS = 20;
/** Of each connection. At a worker that are fewer than may wait of one session, and of all. */
const IN_FLIGHT = 80;
const MANY = CONNECTIONS * IN_FLIGHT;
const SESSIONS = 4;
const TOKENS = 10;

const sluice = useInstallation({
  policy: policyOf([{ name: "default", maxTokens: TOKENS, tokenRefillRate: 0 }], { onUnreachable: "deny" }),
});

let connections: ClientHttp2Session[] = [];
beforeAll(async () => {
  connections = await sluice().connect(CONNECTIONS);
});
afterEach(() => {
  sluice().controlPlane.resume();
});
afterAll(() => {
  for (const session of connections) session.close();
});

const active = () => sluice().envoyAdmin.stat("http.proxy.downstream_rq_active");

/** Requests with these tokens in turn, all under way at once while the control plane says nothing. */
async function waiting(tokens: readonly string[]): Promise<{ readonly load: Promise<LoadResult> }> {
  sluice().controlPlane.pause();
  let sent = 0;
  const next = (): OutgoingHttpHeaders | null =>
    sent < MANY ? { "x-session-id": tokens[sent++ % tokens.length] } : null;
  const load = drive({ connections, inFlight: IN_FLIGHT, next });
  await until(async () => {
    expect(await active()).toBe(MANY);
  });
  return { load };
}

/** A VM that has trapped answers everything with 503. */
async function expectBothWorkersServe(): Promise<void> {
  const { token } = await sluice().api.issue();
  const { statuses } = await drive({ connections, inFlight: 1, next: times(TOKENS, { "x-session-id": token }) });
  expect(statuses).toEqual({ 200: TOKENS });
}

describe("hundreds of requests whose wait ends in one moment", () => {
  it("requests that answers let go get what each bucket holds, and 429", async () => {
    const issued = await Promise.all(Array.from({ length: SESSIONS }, () => sluice().api.issue()));
    const { load } = await waiting(issued.map(({ token }) => token));
    sluice().controlPlane.resume();
    const { statuses, failures } = await load;
    expect(failures).toEqual([]);
    expect(statuses).toEqual({ 200: SESSIONS * TOKENS, 429: MANY - SESSIONS * TOKENS });
    await expectBothWorkersServe();
  });

  it("requests of as many sessions that no answer comes for get 503, each of them", async () => {
    const { load } = await waiting(Array.from({ length: MANY }, () => sluice().mint.mint(Date.now()).token));
    const { statuses, failures } = await load;
    expect(failures).toEqual([]);
    expect(statuses).toEqual({ 503: MANY });
    sluice().controlPlane.resume();
    await until(expectBothWorkersServe);
  });
});
