// What the command shows in a narrow terminal: no line is wider, and what is left out or cut is said.
import { describe, expect, it } from "vitest";

import { COMMANDS } from "../../src/cli/commands.js";
import { sluice } from "../support/cli.js";
import { created, startTestControlPlane } from "../support/control-plane.js";

const AT_80 = { columns: 80, rows: 24 };
const LONG = "an-organisation-with-a-name-that-is-as-long-as-names-of-organisations-are-in-their-directories";

/** Without what a terminal does not show. */
const linesOf = (text: string): string[] => text.replace(/\x1b\[[0-9;]*[A-Za-z]/g, "").split("\n");
const widest = (text: string): number => Math.max(...linesOf(text).map((line) => Array.from(line).length));

const HELPS = ["", "session", "policy", "help exit-codes", ...COMMANDS.map(({ name }) => name)];

describe("a terminal of 80 columns", () => {
  it.each(HELPS)("the help of %s fits it, and says what the unbroken help says", async (words) => {
    const line = words.startsWith("help") ? words : `${words} --help`;
    const ran = await sluice(line, { terminal: AT_80 });
    expect(ran.code).toBe(0);
    expect(widest(ran.out)).toBeLessThanOrEqual(80);
    const wordsOf = (text: string): string[] => text.split(/\s+/).filter((word) => word !== "\\");
    expect(wordsOf(ran.out)).toEqual(wordsOf((await sluice(line)).out));
  });

  it("tables fit it, with long names cut and what is left out named", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane, { userId: `u-${LONG}`, orgId: LONG });
    await plane.acquire(session.id);
    await plane.report([[session.id, 1, 12, 50_000_000, 0]]);
    await plane.call("DELETE", `/v1/sessions/${session.id}`);
    const { session: other } = await created(plane, { orgId: LONG });
    await plane.acquire(other.id);
    for (const line of [
      "session list",
      "edges",
      `usage ${session.id}`,
      `bucket ${other.id}`,
      "audit",
      "top --once",
      "config",
    ]) {
      const narrow = await sluice(line, { url: plane.url, terminal: AT_80 });
      expect(narrow.code, line + narrow.err).toBe(0);
      expect(widest(narrow.out), line).toBeLessThanOrEqual(80);
    }
  });

  it("session list keeps ids whole there, and names the columns that it leaves out", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane, { userId: "a-user-of-20-letters", orgId: LONG });
    const narrow = await sluice("session list", { url: plane.url, terminal: AT_80 });
    const [titles, row = ""] = linesOf(narrow.out);
    expect(titles).toMatch(/^ID +STATE +USER +ORG +PLAN *$/);
    expect(row).toContain(`${session.id}  live`);
    expect(row).toContain("an-org");
    expect(row).toContain("…");
    expect(narrow.err).toContain("Left out here: ISSUER, CONSUMED, ISSUED, LAST ACTIVITY, ENDS");
  });

  it("an entry of the audit log is shown as fields there", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    await plane.call("DELETE", `/v1/sessions/${session.id}`);
    const [first] = linesOf((await sluice("audit", { url: plane.url, terminal: AT_80 })).out);
    expect(first).toMatch(/^number +1$/);
  });

  it("COLUMNS says how wide the terminal is", async () => {
    const plane = await startTestControlPlane();
    await created(plane, { orgId: LONG });
    const terminal = { columns: 300, rows: 24 };
    expect(widest((await sluice("session list", { url: plane.url, terminal })).out)).toBeGreaterThan(200);
    const env = { COLUMNS: "100" };
    expect(widest((await sluice("session list", { url: plane.url, terminal, env })).out)).toBeLessThanOrEqual(100);
  });
});

it("what goes into a file or a pipe is not cut, whatever COLUMNS says", async () => {
  const plane = await startTestControlPlane();
  await created(plane, { orgId: LONG });
  const ran = await sluice("session list", { url: plane.url, env: { COLUMNS: "80" } });
  expect(ran).toMatchObject({ code: 0, err: "" });
  expect(ran.out).toContain(LONG);
});
