// The walls between folders: each rule of .dependency-cruiser.mjs finds an import that breaks it.
import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../scripts/project-root.js";

/** Rule, a file that breaks it, and what that file imports. */
const BREACHES: readonly (readonly [rule: string, file: string, imported: string])[] = [
  ["no-circle", "control-plane/src/circle-one.ts", "./circle-two.js"],
  ["no-circle-of-values", "test/circle-one.ts", "./circle-two.js"],
  ["contract", "assembly/contract.ts", "./host/node"],
  ["host-only", "assembly/domain/breach.ts", "@solo-io/proxy-runtime/assembly/imports"],
  ["entries", "assembly/lean.ts", "./host/node"],
  ["filter", "assembly/filter/breach.ts", "../index"],
  ["host", "assembly/host/breach.ts", "../filter/tick"],
  ["domain", "assembly/domain/table/breach.ts", "../../host/clock"],
  ["memory", "assembly/memory/breach.ts", "../domain/table/set"],
  ["one-exit", "assembly/filter/breach.ts", "../host/exit"],
  ["one-answer", "assembly/filter/request/breach.ts", "./reply"],
  ["deciding-counts-nothing", "assembly/filter/request/breach.ts", "../vm/counters"],
  ["assembly/filter/vm", "assembly/filter/vm/breach.ts", "../state/table"],
  ["assembly/filter/state", "assembly/filter/state/breach.ts", "../table/insert"],
  ["assembly/filter/table", "assembly/filter/table/breach.ts", "../policy/bell"],
  ["assembly/filter/policy", "assembly/filter/policy/breach.ts", "../edge/watch"],
  ["assembly/filter/edge", "assembly/filter/edge/breach.ts", "../request/spend"],
  ["filter-rooms", "assembly/filter/request/breach.ts", "../tick"],
  ["plane-domain", "control-plane/src/domain/breach.ts", "../app/access/admin.js"],
  ["plane-ports", "control-plane/src/app/ports/breach.ts", "../access/admin.js"],
  ["plane-app", "control-plane/src/app/breach.ts", "../main.js"],
  ["published-edge", "control-plane/src/app/edges/breach.ts", "../policy/policy-service.js"],
  ["plane-files", "control-plane/src/files/breach.ts", "../main.js"],
  ["environment", "control-plane/src/settings/environment.ts", "../main.js"],
  ["plane-render", "control-plane/src/render/breach.ts", "../cli/failure.js"],
  ["plane-store", "control-plane/src/store/breach.ts", "../app/access/admin.js"],
  ["plane-http", "control-plane/src/http/breach.ts", "../main.js"],
  ["plane-cli", "control-plane/src/cli/breach.ts", "../app/access/admin.js"],
  ["http-admin", "control-plane/src/http/admin/breach.ts", "../edge/edge-routes.js"],
  ["http-edge", "control-plane/src/http/edge/breach.ts", "../admin/cursors.js"],
  ["http-status", "control-plane/src/http/status/breach.ts", "../admin/cursors.js"],
  ["store-lmdb", "control-plane/src/store/lmdb/breach.ts", "../memory/store.js"],
  ["store-redis", "control-plane/src/store/redis/breach.ts", "../lmdb/store.js"],
  ["store-memory", "control-plane/src/store/memory/breach.ts", "../lmdb/store.js"],
  ["product", "scripts/breach.ts", "../test/circle-one.js"],
];

/** The other halves of the circles above. */
const CIRCLES = ["control-plane/src/circle", "test/circle"];

let copy: string;
let found: string[];

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), "sluice-walls-"));
  for (const path of ["assembly", "control-plane", "scripts", ".dependency-cruiser.mjs", "package.json"]) {
    cpSync(join(projectRoot, path), join(copy, path), { recursive: true });
  }
  write("node_modules/@solo-io/proxy-runtime/assembly/imports.ts", "export const host = 0;\n");
  for (const [index, [, file, imported]] of BREACHES.entries()) {
    write(file, `import * as breached${index} from "${imported}";\nexport const breach${index} = breached${index};\n`);
  }
  for (const circle of CIRCLES) {
    write(`${circle}-two.ts`, 'import * as one from "./circle-one.js";\nexport const two = one;\n');
  }
  const depcruise = join(projectRoot, "node_modules/.bin/depcruise");
  const { stdout } = spawnSync(depcruise, ["assembly", "control-plane", "scripts", "test"], {
    cwd: copy,
    encoding: "utf8",
  });
  found = stdout.split("\n").filter((line) => line.includes("error"));
}, 120_000);

afterAll(() => {
  rmSync(copy, { recursive: true, force: true });
});

function write(file: string, text: string): void {
  mkdirSync(join(copy, dirname(file)), { recursive: true });
  appendFileSync(join(copy, file), text);
}

describe("an import through a wall is an error of lint", () => {
  it.each(BREACHES)("rule %s: %s may not import %s", (rule, file) => {
    expect(found.filter((line) => line.includes(`${rule}: `) && line.includes(file))).not.toEqual([]);
  });

  it("every rule of the configuration is tried here", async () => {
    const { default: config } = (await import(join(projectRoot, ".dependency-cruiser.mjs"))) as {
      readonly default: { readonly forbidden: readonly { readonly name: string }[] };
    };
    const tried = new Set(BREACHES.map(([rule]) => rule));
    expect(config.forbidden.map(({ name }) => name).filter((name) => !tried.has(name))).toEqual([]);
  });
});
