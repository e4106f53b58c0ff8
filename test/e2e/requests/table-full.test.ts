// A full session table: its memory stays as the settings sized it, whatever clients send.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ClientHttp2Session } from "node:http2";
import { until } from "../../../control-plane/test/support/until.js";
import { useInstallation } from "../harness/installation.js";
import { drive } from "../harness/http2-load.js";
import { policyOf, type PolicyRest } from "../harness/policy.js";

const CAPACITY = 1024;
/** Unverified sessions are not evicted before the control plane has confirmed them. */
const SESSIONS = 3 * CAPACITY;

const policyWith = (rest: PolicyRest) =>
  policyOf([{ name: "default", maxTokens: 10, tokenRefillRate: 0 }], {
    ...rest,
    onMiss: "trust",
  });

const sluice = useInstallation({ policy: policyWith({ onTableFull: "deny" }), tableCapacity: CAPACITY });

let connections: ClientHttp2Session[] = [];
beforeAll(async () => {
  connections = await sluice().connect(4);
});
afterAll(() => {
  for (const session of connections) session.close();
});

/** A request of each of many sessions that the control plane does not confirm, because it hangs. */
async function requestOfEach() {
  const tokens = Array.from({ length: SESSIONS }, () => sluice().mint.mint(Date.now()).token);
  const next = () => {
    const token = tokens.pop();
    return token === undefined ? null : { "x-session-id": token };
  };
  const load = await drive({ connections, inFlight: 16, next });
  expect(load.failures).toEqual([]);
  return load.statuses;
}

const sample = (name: string) => sluice().envoyAdmin.sample(name);

describe("more sessions than the table has room for", () => {
  it("sessions without room in the table are denied and counted under onTableFull: deny", async () => {
    sluice().controlPlane.pause();
    const statuses = await requestOfEach();
    const { 200: admitted = 0, 503: denied = 0 } = statuses;
    expect(admitted + denied).toBe(SESSIONS);
    expect(admitted).toBeLessThanOrEqual(CAPACITY);
    await until(async () => {
      expect(await sample("sluice_table_full_total")).toBe(denied);
      expect(await sample("sluice_table_records")).toBe(admitted);
    });
    expect(await sample("sluice_table_capacity")).toBe(CAPACITY);
    sluice().controlPlane.resume();
  });

  it("sessions without room in the table pass unmetered under onTableFull: allow", async () => {
    await sluice().changePolicy(policyWith({ onTableFull: "allow" }));
    sluice().controlPlane.pause();
    expect(await requestOfEach()).toEqual({ 200: SESSIONS });
    await until(async () => {
      expect(await sample('sluice_requests_total{outcome="allowed"}')).toBeGreaterThan(0);
    });
    expect(await sample("sluice_table_records")).toBeLessThanOrEqual(CAPACITY);
    sluice().controlPlane.resume();
  });
});
