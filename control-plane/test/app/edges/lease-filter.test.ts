// What the built filter really says of a session under a fleet plan, and what it makes of the answers.
import { expect, it } from "vitest";

import { fleetPolicy } from "../../../../test/host/harness/scenes/leases.js";
import { Edge } from "../../../../test/host/harness/scenes/edge.js";
import { nextReport } from "../../../../test/host/harness/scenes/reports.js";
import type { Callout } from "../../../../test/host/harness/host/callouts.js";
import { created, KEYS, startTestControlPlane } from "../../support/control-plane.js";
import type { TestControlPlane } from "../../support/control-plane.js";
import { FLEET } from "../../support/sessions.js";

const SECRET = "01".repeat(32);

/** Brings a call of the filter to the control plane as it is, and the answer back. */
async function carried(plane: TestControlPlane, call: Callout | undefined): Promise<string> {
  if (call === undefined) throw new Error("the filter makes no call");
  const path = call.headers.get(":path") ?? "";
  const answer = await plane.call("POST", path, call.json, KEYS.edgeCredential);
  call.answer(answer.status, answer.text);
  expect(answer.status, answer.text).toBe(200);
  return answer.text;
}

it("a filter's acquire, asks and report of a fleet plan are taken as they are", async () => {
  const plane = await startTestControlPlane();
  plane.setPlans(FLEET);
  const { token } = await created(plane);
  const { id, maxTokens, tokenRefillRate } = FLEET;
  const edge = new Edge({ secret: SECRET, policy: fleetPolicy({ id, maxTokens, tokenRefillRate }) });
  const first = edge.send(token);
  await carried(plane, edge.acquires[0]);
  expect(first.status).toBe(200);
  // The first lease is of four requests.
  expect([1, 2, 3].map(() => edge.send(token).status)).toEqual([200, 200, 200]);
  edge.clock.advanceMs(60);
  const next = edge.send(token);
  await carried(plane, edge.pendingLeases[0]);
  expect(next.status).toBe(200);
  const report = nextReport(edge);
  const { fleet, limits } = report.json as { fleet: string[]; limits: Record<string, string[]> };
  expect(limits, "a tag of no names").toEqual({ [fleet[0] ?? ""]: [] });
  await carried(plane, report);
  expect((await plane.status("/metrics")).text).not.toMatch(/report_rows_dropped_total\{[^}]*\} [1-9]/);
});
