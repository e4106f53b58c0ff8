// Files that a control plane cannot use: it says so in time, serves the policy that it has, and stops when it is told to.
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { setTimeout as after } from "node:timers/promises";
import { describe, expect, it } from "vitest";

import { ControlPlaneProcess, settingsIn, withStoredPolicy } from "../support/process.js";
import { until } from "../support/until.js";

const POLICY = "version: 1\nplans:\n  - { id: 0, name: starter, maxTokens: 100, tokenRefillRate: 10 }\n";

/** A change is looked at each second, and again once it has rested for a moment. */
const SEEN_MS = 2000;

const pipe = (path: string): void => {
  execFileSync("mkfifo", [path]);
};
const folder = (path: string): void => {
  mkdirSync(path);
};
const huge = (path: string): void => {
  writeFileSync(path, POLICY);
  truncateSync(path, 400_000_000);
};
const written = (content: string | Buffer) => (path: string) => {
  writeFileSync(path, content);
};

const BAD: [what: string, make: (path: string) => void, says: string][] = [
  ["a pipe", pipe, "cannot be read: expected a regular file, got a pipe"],
  ["a folder", folder, "cannot be read: expected a regular file, got a folder"],
  ["a file of 400 MB", huge, "cannot be read: expected at most 1048576 bytes, got 400000000"],
  ["an ordered map", written("version: 1\nplans: !!omap [a: 1]\n"), "expected no tag, got tag:yaml.org,2002:omap"],
  ["pairs", written("!!pairs [a: 1]\n"), "expected no tag, got tag:yaml.org,2002:pairs"],
  ["UTF-16", written(Buffer.from(`\ufeff${POLICY}`, "utf16le")), "the encoding is UTF-16, expected UTF-8"],
];

async function stopsInOrder(plane: ControlPlaneProcess): Promise<void> {
  plane.kill("SIGTERM");
  expect(await plane.ended).toEqual({ code: 0, signal: null });
}

describe("a policy file that is none", () => {
  it.each(BAD)("a first start with %s in the policy's place ends with 78 and says why", async (_, make, says) => {
    const settings = settingsIn();
    rmSync(settings.SLUICE_POLICY ?? "");
    make(settings.SLUICE_POLICY ?? "");
    const plane = new ControlPlaneProcess(settings);
    expect(await plane.ended).toEqual({ code: 78, signal: null });
    expect(plane.stderr).toContain(says);
    expect(plane.stderr).not.toContain("    at ");
  });

  it("a rejected policy that is touched, or saved again as it was, is said once", async () => {
    const settings = await withStoredPolicy();
    const path = settings.SLUICE_POLICY ?? "";
    const [bad, again] = [POLICY.replace("100", "-1"), POLICY.replace("100", "-2")];
    const rejections = (): number => plane.stdout.split('"event":"policy-rejected"').length - 1;
    writeFileSync(path, bad);
    const plane = new ControlPlaneProcess(settings);
    await plane.port();
    expect(rejections()).toBe(1);
    utimesSync(path, new Date(), new Date());
    await after(SEEN_MS);
    writeFileSync(path, bad);
    await after(SEEN_MS);
    writeFileSync(path, again);
    await until(() => {
      expect(rejections()).toBe(2);
    });
  });

  it.each(BAD)(
    "a control plane that finds %s in the policy's place serves the policy it has",
    async (_, make, says) => {
      const settings = await withStoredPolicy();
      const path = settings.SLUICE_POLICY ?? "";
      const rejections = (): number =>
        plane.stdout.split("\n").filter((line) => line.includes('"event":"policy-rejected"') && line.includes(says))
          .length;
      rmSync(path);
      make(path);
      const plane = new ControlPlaneProcess(settings);
      const url = await plane.status();
      expect((await fetch(`${url}/readyz`)).status).toBe(200);
      expect(rejections()).toBe(1);

      rmSync(path, { recursive: true });
      writeFileSync(path, POLICY.replace("100", "200"));
      await until(() => {
        expect(plane.stdout).toContain('"event":"policy-accepted"');
      });
      rmSync(path);
      make(path);
      await until(() => {
        expect(rejections()).toBe(2);
      });
      expect((await fetch(`${url}/readyz`)).status).toBe(200);
      await stopsInOrder(plane);
      expect([rejections(), plane.stdout.includes("the store failed")]).toEqual([2, false]);
    },
  );
});
