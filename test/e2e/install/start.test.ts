// npm start as a user meets it: ready lines that work, sessions and secrets that are kept, nothing left when it stops.
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { requireFree } from "../../../scripts/start/ports.js";
import { readSettings, wantedPorts } from "../../../scripts/start/settings.js";
import { ready, stopped, tokenIn, useNpmStart } from "../harness/npm-start.js";

const npm = useNpmStart();

it("the printed lines work: 401 without a session, 200 with it, 201 for a new one", async () => {
  const said = await ready(npm().start());
  const url = npm().url;
  expect(said).toContain(`  curl -i ${url}\n`);
  expect((await fetch(url)).status).toBe(401);

  const answer = await fetch(url, { headers: { "X-Session-ID": tokenIn(said) } });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("ratelimit")).toMatch(/^"default";r=\d+/);
  expect(await answer.json()).toMatchObject({ service: "demo", method: "GET", path: "/" });

  const [, plane] = /curl -s -X POST (\S+)/.exec(said) ?? [];
  const [, adminTokenFile] = /Bearer \$\(cat (\S+)\)/.exec(said) ?? [];
  const [, body] = /-d '(.*)'/.exec(said) ?? [];
  const created = await fetch(plane ?? "", {
    method: "POST",
    headers: {
      authorization: `Bearer ${readFileSync(adminTokenFile ?? "", "utf8").trim()}`,
      "content-type": "application/json",
    },
    body: body ?? "",
  });
  expect(created.status).toBe(201);
});

it("secrets are readable by their owner only, and tokens stand in no file", async () => {
  const said = await ready(npm().start());
  const token = tokenIn(said);
  await fetch(npm().url, { headers: { "X-Session-ID": token } });
  const secrets = ["secret", "admin-token"].map((name) => readFileSync(join(npm().dataDir, name), "utf8").trim());
  expect(statSync(npm().dataDir).mode & 0o777).toBe(0o700);
  for (const name of ["secret", "admin-token"]) expect(statSync(join(npm().dataDir, name)).mode & 0o777).toBe(0o600);

  await stopped(npm().first, "SIGTERM");
  for (const file of filesBelow(npm().dataDir)) {
    const text = readFileSync(file, "latin1");
    expect(text.includes(token), `a session token in ${file}`).toBe(false);
    if (file.endsWith("/secret") || file.endsWith("/admin-token")) continue;
    for (const secret of secrets) expect(text.includes(secret), `a secret in ${file}`).toBe(false);
  }
});

it("a second npm start has the same sessions", async () => {
  const token = tokenIn(await ready(npm().start()));
  await stopped(npm().first, "SIGINT");
  await ready(npm().start());
  const again = await fetch(npm().url, { headers: { "X-Session-ID": token } });
  expect(again.status).toBe(200);
});

it("npm start keeps the filter of the build before, and no older one", async () => {
  const folder = join(npm().dataDir, "filter");
  const [older, old] = ["sluice-000000000001.wasm", "sluice-000000000002.wasm"] as const;
  mkdirSync(folder);
  for (const name of [older, old]) writeFileSync(join(folder, name), "an older build");
  utimesSync(join(folder, older), 1, 1);
  await ready(npm().start());
  expect(readdirSync(folder)).toHaveLength(2);
  expect(readdirSync(folder)).toContain(old);
});

it("npm start takes secrets from files, makes none, and says which file anybody may read", async () => {
  const [secret, admin] = [join(npm().dataDir, "own-secret"), join(npm().dataDir, "own-tokens")];
  writeFileSync(secret, `${"4f".repeat(32)}\n`, { mode: 0o600 });
  writeFileSync(admin, "first-admin-token,second-admin-token\n");
  const started = npm().start({ SLUICE_SECRET_FILE: secret, SLUICE_ADMIN_TOKEN_FILE: admin });
  const said = await ready(started);
  expect(said).toContain(`Bearer $(cut -d, -f1 ${admin})"`);
  expect(said.match(/every user of this machine may read \S+/g)).toEqual([
    `every user of this machine may read ${admin}:`,
  ]);
  expect((await fetch(npm().url, { headers: { "X-Session-ID": tokenIn(said) } })).status).toBe(200);
  expect(readdirSync(npm().dataDir)).not.toEqual(expect.arrayContaining(["secret"]));
  expect(readdirSync(npm().dataDir)).not.toEqual(expect.arrayContaining(["admin-token"]));
});

it("Ctrl-C stops everything, also when npm passes the signal on a second time", async () => {
  await ready(npm().start());
  npm().first.process.kill("SIGINT");
  expect(await stopped(npm().first, "SIGINT")).toMatchObject({ code: 0 });
  npm().nothingIsLeft();
  await requireFree(wantedPorts(readSettings(npm().env)));
});

it("a signal before npm start is ready stops everything", async () => {
  const early = npm().start();
  await until(() => {
    expect(early.stdout).toContain("starting");
  });
  expect(await stopped(early, "SIGTERM")).toMatchObject({ code: 0 });
  npm().nothingIsLeft();
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
