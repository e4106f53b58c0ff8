// A snapshot of a running server, made and put back as docs/stores.md says it.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, it, onTestFinished } from "vitest";

import { sectionOf } from "../../../../test/unit/docs.js";
import { newRedisStore, serverAt, uncounted } from "../../support/redis-store.js";
import { CONFIGURATION } from "../../support/servers/server-settings.js";
import { StoreServer } from "../../support/servers/store-server.js";
import { useProgram } from "../../support/servers/use-server.js";
import { sessionAt } from "../../support/sessions.js";
import { isWritable, untilStore } from "../../support/store-waits.js";
import { until } from "../../support/until.js";

const NOW_MS = Date.UTC(2026, 0, 1);
const PASSWORD = "of-the-backup";
const program = useProgram("Redis 7");

/** The rules that docs/stores.md gives the user that makes snapshots. */
function documentedRules(): string {
  const [, rules = ""] = /^user backup on #SHA256 (.+)$/m.exec(sectionOf("docs/stores.md", "Backups")) ?? [];
  return rules;
}

/** By the client that comes with the server. */
function snapshotOf(server: StoreServer): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-snapshot-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const [beside, file] = [join(dirname(program().binary), "redis-cli"), join(folder, "sluice-1.rdb")];
  const args = ["--user", "backup", "--pass", PASSWORD, "--no-auth-warning", "-p", String(server.port), "--rdb", file];
  const env = { PATH: process.env.PATH, ...program().env };
  const { status, stderr } = spawnSync(existsSync(beside) ? beside : "redis-cli", args, { env, encoding: "utf8" });
  expect(status, stderr).toBe(0);
  return file;
}

function setInFile(folder: string, appendonly: string): void {
  const file = join(folder, CONFIGURATION);
  writeFileSync(file, readFileSync(file, "utf8").replace(/^appendonly .*$/m, `appendonly ${appendonly}`));
}

it("a snapshot of a running server, put back, is the store as it was then", async () => {
  const server = await StoreServer.start(program(), { appendonly: true, appendfsync: "always" });
  onTestFinished(() => server.remove());
  await server.command("ACL", "SETUSER", "backup", "on", `>${PASSWORD}`, ...documentedRules().split(" "));
  const lost: number[] = [];
  const meter = { ...uncounted, lost: (commits: number) => lost.push(commits) };
  const store = await newRedisStore(serverAt(server.port), { meter });
  const [kept, later] = [sessionAt(NOW_MS), sessionAt(NOW_MS + 1)];
  await store.create(kept);
  const snapshot = snapshotOf(server);
  await store.create(later);
  const { dir: folder } = (await server.command("CONFIG", "GET", "dir")) as { dir: string };

  await server.kill();
  rmSync(join(folder, "appendonlydir"), { recursive: true });
  renameSync(snapshot, join(folder, "dump.rdb"));
  setInFile(folder, "no");
  await server.restart();
  await server.command("CONFIG", "SET", "appendonly", "yes");
  await until(async () => {
    expect(await server.info("aof_rewrite_in_progress")).toBe("0");
  });
  setInFile(folder, "yes");
  await server.kill();
  await server.restart();

  await untilStore(store, isWritable(store));
  expect([await store.find(kept.id), await store.find(later.id)]).toEqual([kept, undefined]);
  expect(lost).toEqual([1]);
});
