// A sweep and a kill -9 in the middle of it: nothing is lost, and nothing stays.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

import { ControlPlaneProcess, settingsIn, temporaryFolder } from "../support/process.js";
import { HOUR_MS, sessionAt } from "../support/sessions.js";
import { openStore } from "../support/temporary-store.js";

it("a sweep that was cut short by a kill is continued after the restart", async () => {
  const folder = temporaryFolder();
  const settings = settingsIn(folder);
  const policy = "plans: [{ id: 0, name: starter, maxTokens: 100, tokenRefillRate: 10 }]";
  // Each start waits for a grace, which is the shorter the oftener edges report.
  const often = "sessions: { cleanupInterval: 100 }\ncontrolPlane: { reportInterval: 100 }";
  writeFileSync(join(folder, "policy.yaml"), `version: 1\n${policy}\n${often}\n`);
  const count = 10_000;
  const store = await openStore(join(folder, "data"));
  const longAgo = Date.now() - 48 * HOUR_MS;
  const expired = Array.from({ length: count }, (_, i) => sessionAt(longAgo + i));
  await Promise.all(expired.map((session) => store.create(session)));
  const rows = expired.slice(0, 5000).map(({ id: sessionId }) => {
    const figures = { rev: 1, consumed: 1, levelMicro: 1, atMs: longAgo, reportedAtMs: longAgo };
    return { sessionId, edge: "gw-1", instance: "00112233aabbccdd", ...figures };
  });
  await store.usage.report(rows, new Map());
  const kept = sessionAt(Date.now());
  await store.create(kept);
  await store.close();

  const first = new ControlPlaneProcess(settings);
  await first.logLine("session-removed");
  first.kill("SIGKILL");
  await first.ended;
  expect(first.stdout).not.toContain("session-cleanup");

  const second = new ControlPlaneProcess(settings);
  const { removed, remaining } = (await second.logLine("session-cleanup")) as { removed: number; remaining: number };
  expect(removed).toBeGreaterThan(0);
  expect(removed).toBeLessThan(count);
  expect(remaining).toBe(1);
  second.kill("SIGTERM");
  await second.ended;

  const after = await openStore(join(folder, "data"));
  const { sessions, byUser, byOrg, byPlan, byUserAndPlan, byActivity, usage } = after.db;
  const keys = [sessions, byUser, byOrg, byPlan, byUserAndPlan, byActivity].map((one) => one.getKeysCount());
  expect([keys, usage.getKeysCount()]).toEqual([[1, 1, 1, 1, 1, 1], 0]);
  await after.close();
}, 300_000);
