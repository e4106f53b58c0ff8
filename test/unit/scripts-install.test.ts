// What an installation needs to work on any machine as it does on this one.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { NODE_FLAGS } from "../../scripts/start/control-plane-process.js";
import { projectRoot } from "../../scripts/project-root.js";

interface LockedPackage {
  optionalDependencies?: Record<string, string>;
}

const { packages } = JSON.parse(readFileSync(join(projectRoot, "package-lock.json"), "utf8")) as {
  packages: Record<string, LockedPackage>;
};

it("no dependency brings an npm, which would run in place of the user's", () => {
  expect(Object.keys(packages)).not.toContain("node_modules/npm");
});

it("the lock file names the binaries of every platform, or npm ci would reject it", () => {
  const wanted = Object.values(packages).flatMap((one) => Object.keys(one.optionalDependencies ?? {}));
  const places = Object.keys(packages);
  const missing = wanted.filter((name) => !places.some((place) => place.endsWith(`node_modules/${name}`)));
  expect(missing).toEqual([]);
});

it.each(["Dockerfile", "docs/deploy.md"])(
  "%s runs the control plane with the options that npm start gives it",
  (file) => {
    const text = readFileSync(join(projectRoot, file), "utf8");
    expect(NODE_FLAGS.filter((flag) => !text.includes(flag))).toEqual([]);
  },
);
