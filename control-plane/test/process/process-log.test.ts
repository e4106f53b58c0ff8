// A log that cannot be written: the control plane serves on, counts what is lost, says so, and stops when it is told to.
import { closeSync, openSync } from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";

import { ADMIN_TOKEN, ControlPlaneProcess, knownPorts, ready, settingsIn } from "../support/process.js";
import { until } from "../support/until.js";

/** Each call writes some lines. */
const VERBOSE = { SLUICE_LOG_LEVEL: "trace" };
/** So that few calls write much. */
const LONG = "u".repeat(128);
const LOST = /^sluice_control_log_lines_lost_total (\d+)$/m;
const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" };

async function create(url: string): Promise<void> {
  const body = JSON.stringify({ userId: LONG, orgId: LONG });
  const { status } = await fetch(`${url}/v1/sessions`, { method: "POST", headers, body });
  expect(status).toBe(201);
}

async function lostLines(status: string): Promise<number> {
  const [, count] = LOST.exec(await (await fetch(`${status}/metrics`)).text()) ?? [];
  return Number(count);
}

async function stopsInOrder(plane: ControlPlaneProcess): Promise<void> {
  plane.kill("SIGTERM");
  expect(await plane.ended).toEqual({ code: 0, signal: null });
}

describe("a log that cannot be written", () => {
  it("a log on a full disk stops nothing: lost lines are counted, and SIGTERM ends in order", async () => {
    const full = openSync("/dev/full", "w");
    onTestFinished(() => {
      closeSync(full);
    });
    const { settings, url, status } = await knownPorts();
    const plane = new ControlPlaneProcess({ ...settings, ...VERBOSE }, [], full);
    await ready(status);
    for (let call = 0; call < 5; call++) await create(url);
    expect(await lostLines(status)).toBeGreaterThan(5);
    await stopsInOrder(plane);
    expect(plane.stderr).toBe(
      "sluice control plane: the log cannot be written (ENOSPC): lines are lost, " +
        "and counted by sluice_control_log_lines_lost_total\n",
    );
  });

  it("a log that nobody reads any more stops nothing, and its lost lines are counted", async () => {
    const plane = new ControlPlaneProcess({ ...settingsIn(), ...VERBOSE });
    const url = await plane.listening();
    const status = await plane.status();
    expect(await lostLines(status)).toBe(0);
    plane.closeLog();
    for (let call = 0; call < 5; call++) await create(url);
    expect(await lostLines(status)).toBeGreaterThan(5);
    expect(plane.stderr).toMatch(/^sluice control plane: the log cannot be written \((EPIPE|ECONNRESET)\)/);
    await stopsInOrder(plane);
  });

  /** Its log is not read, and so much was written that nothing more goes in. */
  async function standingStill(): Promise<{ plane: ControlPlaneProcess; url: string }> {
    const plane = new ControlPlaneProcess({ ...settingsIn(), ...VERBOSE });
    const [url, status] = [await plane.listening(), await plane.status()];
    plane.pauseLog(true);
    await until(async () => {
      await Promise.all(Array.from({ length: 100 }, () => create(url)));
      expect(await lostLines(status)).toBeGreaterThan(0);
    });
    return { plane, url };
  }

  it("a log whose reader stands still stops nothing, and says later what was lost", async () => {
    const { plane, url } = await standingStill();
    expect(plane.stderr).toContain("(its reader stands still)");
    plane.pauseLog(false);
    await until(async () => {
      await create(url);
      expect(plane.stdout).toContain('"event":"log-lines-lost"');
    });
    await stopsInOrder(plane);
  });

  it("a control plane stops in order while the reader of its log stands still", async () => {
    const { plane } = await standingStill();
    plane.kill("SIGTERM");
    expect(await plane.exited).toEqual({ code: 0, signal: null });
  });
});

describe("SIGHUP", () => {
  it("a SIGHUP is logged and ignored: the control plane serves on", async () => {
    const plane = new ControlPlaneProcess(settingsIn());
    const url = await plane.listening();
    plane.kill("SIGHUP");
    expect(await plane.logLine("signal-ignored")).toMatchObject({ signal: "SIGHUP" });
    await create(url);
    await stopsInOrder(plane);
  });
});

it("a line of the log is an event from start to stop, and nothing is said twice", async () => {
  const plane = new ControlPlaneProcess(settingsIn());
  await create(await plane.listening());
  await stopsInOrder(plane);
  const lines = plane.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { event?: unknown });
  expect(lines.map(({ event }) => event)).toEqual(["policy-accepted", "listening", "session-created", "stopping"]);
  expect(plane.stderr).toBe("");
});
