// The log as a file on a disk that is full for a while: every line of it is whole, and those that are missing are counted.
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";

import { ADMIN_TOKEN, ControlPlaneProcess, knownPorts, ready } from "../support/process.js";
import { needsDisk, smallDisk } from "../support/small-disk.js";

const LINE_END = 10;
const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" };

/** Writes some lines, whose length differs from call to call. */
async function create(url: string, length: number): Promise<void> {
  const body = JSON.stringify({ userId: "u".repeat(1 + (length % 100)), orgId: "o1" });
  expect((await fetch(`${url}/v1/sessions`, { method: "POST", headers, body })).status).toBe(201);
}

async function lostLines(status: string): Promise<number> {
  const metrics = await (await fetch(`${status}/metrics`)).text();
  return Number(/^sluice_control_log_lines_lost_total (\d+)$/m.exec(metrics)?.[1]);
}

it("a log on a disk that was full has whole lines only, and says how many are missing", async (test) => {
  needsDisk(test);
  const disk = smallDisk(2);
  const file = join(disk.path, "log");
  const log = openSync(file, "a");
  onTestFinished(() => {
    closeSync(log);
  });
  const { settings, url, status } = await knownPorts();
  const plane = new ControlPlaneProcess({ ...settings, SLUICE_LOG_LEVEL: "trace" }, [], log);
  await ready(status);
  let cut = 0;
  for (let outage = 0; outage < 8; outage++) {
    disk.fill();
    const before = await lostLines(status);
    for (let call = 0; (await lostLines(status)) <= before + 5; call++) await create(url, outage * 7 + call);
    if (readFileSync(file).at(-1) !== LINE_END) cut += 1;
    disk.clear();
    await create(url, outage);
  }
  expect(cut).toBeGreaterThan(0);
  const counted = await lostLines(status);
  plane.kill("SIGTERM");
  expect(await plane.ended).toEqual({ code: 0, signal: null });

  const [end, ...lines] = readFileSync(file, "utf8").split("\n").reverse();
  const parsed = lines.map((line) => JSON.parse(line) as { event?: string; lost?: number });
  expect(end).toBe("");
  const said = parsed.filter(({ event }) => event === "log-lines-lost").map(({ lost = 0 }) => lost);
  expect([said.length, said.reduce((sum, lost) => sum + lost)]).toEqual([8, counted]);
});
