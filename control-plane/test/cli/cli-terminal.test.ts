// What the command shows in a narrow terminal: no line is wider, and what is left out or cut is said.
import { describe, expect, it } from "vitest";

import { COMMANDS } from "../../src/cli/commands.js";
import { columnsOf, fitting } from "../../src/cli/terminal/columns.js";
import { sluice } from "../support/cli.js";
import { created, startTestControlPlane } from "../support/control-plane.js";

const AT_80 = { columns: 80, rows: 24 };
const LONG = "an-organisation-with-a-name-that-is-as-long-as-names-of-organisations-are-in-their-directories";

/** Without what a terminal does not show. */
const linesOf = (text: string): string[] => text.replace(/\x1b\[[0-9;]*[A-Za-z]/g, "").split("\n");
const widest = (text: string): number => Math.max(...linesOf(text).map((line) => Array.from(line).length));

/** As a terminal counts these texts: not by what the command counts by. */
const terminalColumns = (text: string): number =>
  Array.from(text).reduce((sum, one) => sum + (/[数字🚀]/u.test(one) ? 2 : one === "\u0301" ? 0 : 1), 0);

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

describe("wide characters in a terminal", () => {
  it.each([
    ["ada", 3],
    ["분석기관", 8],
    ["ｆｕｌｌ", 8],
    ["e\u0301te\u0301", 3],
    ["👍🏽🚀", 4],
    ["❤\ufe0f", 2],
    ["🇩🇪", 2],
    ["ﾊﾝｶｸ", 4],
  ])("%s takes its columns of a terminal", (text, columns) => {
    expect(columnsOf(text)).toBe(columns);
    expect(fitting(text, columns)).toBe(text);
    expect(columnsOf(fitting(text, columns - 1))).toBeLessThan(columns);
  });

  const NAMES = ["数".repeat(40), "🚀".repeat(40), `${"e\u0301".repeat(30)}数字`, "ada"];

  it("tables with names in wide scripts fit the terminal, and their columns stand in line", async () => {
    const plane = await startTestControlPlane();
    for (const name of NAMES) await created(plane, { userId: name, orgId: name });
    for (const line of ["session list", "top --once"]) {
      const { out } = await sluice(line, { url: plane.url, terminal: AT_80 });
      const lines = linesOf(out).filter((one) => one !== "");
      for (const one of lines) expect(terminalColumns(one), one).toBeLessThanOrEqual(80);
      const [titles = "", ...rows] = lines;
      const at = line === "top --once" ? titles.indexOf("ID") : titles.indexOf("PLAN");
      const starts = rows.map((row) => terminalColumns(row.slice(0, row.search(/\S+ *$/))));
      expect(rows).toHaveLength(NAMES.length);
      expect(new Set(starts)).toEqual(new Set([at]));
    }
  });

  it("a name in a wide script is whole where the terminal has room for it", async () => {
    const plane = await startTestControlPlane();
    const name = "数".repeat(40);
    await created(plane, { userId: name });
    const { out } = await sluice("session list", { url: plane.url, terminal: { columns: 300, rows: 24 } });
    expect(out).toContain(`  ${name}  `);
  });

  it("the screen of top is no wider than its terminal with names in wide scripts", async () => {
    const plane = await startTestControlPlane();
    for (const name of NAMES) await created(plane, { userId: name, orgId: name });
    for (const columns of [20, 47, 61, 62, 80]) {
      const user = new AbortController();
      const world = { url: plane.url, terminal: { columns, rows: 24 }, interruption: user.signal };
      const onSleep = (): void => {
        user.abort();
      };
      const { out } = await sluice("top", { ...world, onSleep });
      for (const one of linesOf(out)) expect(terminalColumns(one), one).toBeLessThanOrEqual(columns);
    }
  });

  it("what a table leaves out is said in lines that fit the terminal", async () => {
    const plane = await startTestControlPlane();
    await created(plane, { orgId: LONG });
    const { err } = await sluice("session list", { url: plane.url, terminal: AT_80 });
    expect(err).toContain("Left out here: ");
    expect(err).toContain("shows all");
    expect(widest(err)).toBeLessThanOrEqual(80);
  });
});

it("what goes into a file or a pipe is not cut, whatever COLUMNS says", async () => {
  const plane = await startTestControlPlane();
  await created(plane, { orgId: LONG });
  const ran = await sluice("session list", { url: plane.url, env: { COLUMNS: "80" } });
  expect(ran).toMatchObject({ code: 0, err: "" });
  expect(ran.out).toContain(LONG);
});
