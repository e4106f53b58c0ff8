// `store-admin init` and a control plane over it, as processes: of the documented user, and of a server that shows a certificate.
import { copyFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

import { runCommand } from "../../../scripts/run-command.js";
import { STORE_USER_RULES } from "../../../scripts/store-server.js";
import { authorityIn } from "../support/certificates.js";
import { compiledMain } from "../support/compiled-sources.js";
import { issued, Plane, stateOf } from "../support/planes-over-server.js";
import { onFreePorts } from "../support/ports-tried.js";
import { temporaryFolder } from "../support/process.js";
import { StoreServer } from "../support/servers/store-server.js";
import { useProgram, useServer } from "../support/servers/use-server.js";
import { until } from "../support/until.js";

const PASSWORD = "the-store's pass/word";

/** What the command does with nothing in its environment but this. */
async function init(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number; said: string }> {
  const program = join(dirname(compiledMain()), "store-admin.js");
  const around = { env: { PATH: process.env.PATH, ...env } };
  const { code, output } = await runCommand(process.execPath, [program, "init", ...args], around);
  return { code, said: output };
}

/** Resolves with one that is not ready for this reason. Rejects with what it said where it has ended. */
function waiting(store: string, settings: Readonly<Record<string, string>>, why: RegExp): Promise<Plane> {
  return onFreePorts(/is already in use/, async () => {
    const plane = await Plane.begin(store, settings);
    const says = until(async () => {
      expect(await plane.readiness()).toMatchObject({ status: 503, why: expect.stringMatching(why) as string });
    });
    await Promise.race([says, plane.ready()]);
    expect((await plane.readiness()).status).toBe(503);
    return plane;
  });
}

describe("a store of the user of docs/stores.md", () => {
  const user = { name: "sluice", password: PASSWORD, rules: STORE_USER_RULES };
  const server = useServer("Redis 7", { user, appendonly: true, appendfsync: "always" });

  it("an empty server is made a store once by a URL in a file, whose password is shown nowhere", async () => {
    const file = join(temporaryFolder(), "store");
    writeFileSync(file, `${server().url}\n`, { mode: 0o600 });
    const shown = `redis://127.0.0.1:${server().port}`;
    const plane = await waiting("", { SLUICE_STORE_FILE: file }, /sluice store init/);
    expect(await init(["--at-file", file])).toEqual({ code: 0, said: `${shown} is an empty store\n` });
    await plane.ready();
    const id = await issued(plane);
    const again = `${shown} is a store already, and stays as it is\n`;
    expect(await init([], { SLUICE_STORE_FILE: file })).toEqual({ code: 0, said: again });
    expect(await stateOf(plane, id)).toBe("live");
    const said = plane.log + (await plane.readiness()).why;
    for (const one of [PASSWORD, encodeURIComponent(PASSWORD)]) expect(said).not.toContain(one);
  });
});

describe("a server by TLS whose certificate is for another name", () => {
  const program = useProgram("Redis 7");

  it("a certificate of another name is refused, /readyz says why, and the right one heals it", async () => {
    const authority = authorityIn(temporaryFolder(), "authority");
    const shown = authority.issue("server", "DNS:cache.example");
    const server = await StoreServer.start(program(), { tls: { ...shown, ca: authority.cert } });
    onTestFinished(() => server.remove());
    const tls = { SLUICE_STORE_CA_FILE: authority.cert };
    const why = /Hostname\/IP does not match certificate's altnames: IP: 127\.0\.0\.1 is not in the cert's list/;
    const plane = await waiting(server.url, tls, why);
    const refused = await init([], { SLUICE_STORE: server.url, ...tls });
    expect(refused).toEqual({ code: 1, said: expect.stringMatching(why) as string });
    expect(await server.command("KEYS", "*")).toEqual([]);

    const right = authority.issue("right");
    copyFileSync(right.cert, shown.cert);
    copyFileSync(right.key, shown.key);
    await server.stop();
    await server.restart();
    expect(await init([], { SLUICE_STORE: server.url, ...tls })).toMatchObject({ code: 0 });
    await plane.ready();
    expect(await stateOf(plane, await issued(plane))).toBe("live");
  });
});
