// A real control plane, its file and its store: a policy that would end live sessions ends none before it is confirmed.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { ADMIN_TOKEN, ControlPlaneProcess, settingsIn, temporaryFolder } from "../support/process.js";
import { HOUR_MS, sessionAt } from "../support/sessions.js";
import { openStore } from "../support/temporary-store.js";
import { until } from "../support/until.js";

/** Swept ten times a second, and from a fraction of a second after the start on. */
const OFTEN = "sessions: { cleanupInterval: 100 }\ncontrolPlane: { reportInterval: 100 }\n";
const living = (lifetime: number): string => {
  const durations = `maxAge: ${48 * HOUR_MS}, lifetime: ${lifetime}`;
  return `version: 1\nplans: [{ id: 0, name: starter, maxTokens: 100, tokenRefillRate: 10, ${durations} }]\n${OFTEN}`;
};
/** Two days, as who takes the unit for seconds. */
const WRONG_UNIT = living(172_800);

interface Status {
  readonly inForce: { readonly generation: number };
  readonly source: { readonly state: string };
  readonly held: { readonly hash: string; readonly sessions: number } | null;
}

class Running {
  private constructor(
    readonly plane: ControlPlaneProcess,
    readonly url: string,
  ) {}

  static async with(settings: Record<string, string>): Promise<Running> {
    const plane = new ControlPlaneProcess(settings);
    return new Running(plane, await plane.listening());
  }

  async call(method: string, path: string, body?: object) {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(this.url + path, { method, headers, ...sent });
    return { status: response.status, body: await response.json() };
  }

  async status(): Promise<Status> {
    return (await this.call("GET", "/v1/policy/status")).body as Status;
  }

  /** Once the file, as it was saved last, is held. */
  async held(sessions: number): Promise<string> {
    return until(async () => {
      const { held } = await this.status();
      expect(held?.sessions).toBe(sessions);
      return held?.hash ?? "";
      // Nothing is judged before the clock can be trusted: 10 s after a start, and two reports.
    });
  }

  async state(id: string): Promise<unknown> {
    const { body } = await this.call("GET", `/v1/sessions/${id}`);
    return (body as { session?: { state: string } }).session?.state;
  }

  sweeps(): number {
    return this.plane.stdout.split('"event":"session-cleanup"').length - 1;
  }

  /** That begin from now on, and are over. */
  async sweepsMore(count: number): Promise<void> {
    const before = this.sweeps();
    await until(() => {
      expect(this.sweeps()).toBeGreaterThan(before + count);
    });
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    this.plane.kill(signal);
    await this.plane.ended;
  }
}

/** A store with one session that is a day old, and one that has just been made. */
async function withSessions() {
  const folder = temporaryFolder();
  const settings = settingsIn(folder);
  const file = join(folder, "policy.yaml");
  writeFileSync(file, living(48 * HOUR_MS));
  const store = await openStore(join(folder, "data"));
  const [old, young] = [sessionAt(Date.now() - 24 * HOUR_MS), sessionAt(Date.now())];
  for (const session of [old, young]) await store.create(session);
  await store.close();
  const save = (text: string): void => {
    writeFileSync(file, text);
  };
  return { settings, file, save, old: old.id, young: young.id };
}

describe("a policy that would end live sessions, at a control plane that runs", () => {
  it("sweeps end no session by a held policy; once it is confirmed, they do", async () => {
    const { settings, save, old, young } = await withSessions();
    const running = await Running.with(settings);
    save(WRONG_UNIT);
    const hash = await running.held(1);
    await running.sweepsMore(5);
    expect([await running.state(old), await running.state(young)]).toEqual(["live", "live"]);
    expect((await fetch(`${await running.plane.status()}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${await running.plane.status()}/metrics`)).text()).toContain(
      "\nsluice_control_policy_held 1\n",
    );
    expect(running.plane.stdout.split('"event":"policy-held"')).toHaveLength(2);

    expect(await running.call("POST", "/v1/policy/confirm", { hash })).toEqual({
      status: 200,
      body: { inForce: { generation: 2, hash }, sessions: 1 },
    });
    await running.sweepsMore(1);
    expect([await running.state(old), await running.state(young)]).toEqual([undefined, "live"]);
    const { body } = await running.call("GET", "/v1/audit?limit=1");
    expect(body).toMatchObject({ entries: [{ action: "policy-confirmed", details: { hash, sessions: 1 } }] });
    await running.kill("SIGTERM");
  }, 300_000);

  it("a mended file is in force, and nobody's session has ended", async () => {
    const { settings, save, old } = await withSessions();
    const running = await Running.with(settings);
    save(WRONG_UNIT);
    await running.held(1);
    save(living(36 * HOUR_MS));
    await until(async () => {
      expect(await running.status()).toMatchObject({
        inForce: { generation: 2 },
        source: { state: "taken" },
        held: null,
      });
    });
    expect(await running.state(old)).toBe("live");
    await running.kill("SIGTERM");
  }, 300_000);
});

describe("a policy that would end live sessions, found at a start", () => {
  it("the stored policy serves, and a kill leaves the text held until it is confirmed", async () => {
    const { settings, file, save, old } = await withSessions();
    const first = await Running.with(settings);
    await first.kill("SIGTERM");
    save(WRONG_UNIT);
    const second = await Running.with(settings);
    const hash = await second.held(1);
    await second.sweepsMore(3);
    expect(await second.state(old)).toBe("live");
    await second.kill("SIGKILL");

    const third = await Running.with(settings);
    expect(await third.held(1)).toBe(hash);
    expect((await third.call("POST", "/v1/policy/confirm", { hash })).status).toBe(200);
    await third.kill("SIGKILL");

    writeFileSync(file, `# Looked at.\n${readFileSync(file, "utf8")}`);
    const fourth = await Running.with(settings);
    expect(await fourth.status()).toMatchObject({ inForce: { generation: 2 }, source: { state: "taken" }, held: null });
    expect(await fourth.state(old)).toBe("expired");
    await fourth.kill("SIGTERM");
  }, 300_000);
});
