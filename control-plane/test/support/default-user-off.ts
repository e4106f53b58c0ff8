// What a server keeps over a restart where its user "default" may do nothing, as a plain `user default off` leaves it.
import { expect, it, onTestFinished } from "vitest";

import { STORE_USER_RULES } from "../../../scripts/store-server.js";
import type { ServerName, ServerProgram } from "../../../scripts/test/get-store-servers.js";
import { newRedisStore, serverAt } from "./redis-store.js";
import type { ServerOptions } from "./servers/server-settings.js";
import { StoreServer } from "./servers/store-server.js";
import { useProgram } from "./servers/use-server.js";
import { sessionAt } from "./sessions.js";
import { until } from "./until.js";

/** With the store's own. */
const KEYS_OF_A_SESSION = 9;
const NOW_MS = Date.UTC(2026, 0, 1);
const user = { name: "sluice", password: "right", rules: STORE_USER_RULES };
const login = { username: user.name, password: user.password };

/** @param keeps whether a session that was acknowledged is there after a crash of the server */
export function defaultUserOff(name: ServerName, keeps: boolean): void {
  const program = useProgram(name);

  it(`after a plain user default off, a restart of ${name} ${keeps ? "keeps" : "loses"} sessions`, async () => {
    const server = await crashed(program(), keeps, { defaultUser: "user default off" });
    // What a script wrote with one command is loaded, and the server says of each other one that it is not.
    const keys = await server.command("KEYS", "*");
    expect(keys).toHaveLength(keeps ? KEYS_OF_A_SESSION : 1);
    expect(keys).toContain("{sluice}:meta");
    expect(server.log.includes("sending an error to its AOF-loading-client: '-NOPERM")).toBe(!keeps);
  });
}

/** A server that has ended and begun again after a session was acknowledged, which is looked for. */
export async function crashed(program: ServerProgram, keeps: boolean, more: ServerOptions = {}): Promise<StoreServer> {
  const server = await StoreServer.start(program, { appendonly: true, appendfsync: "always", user, ...more });
  onTestFinished(() => server.remove());
  const store = await newRedisStore(serverAt(server.port, login));
  const session = sessionAt(NOW_MS);
  await store.create(session);
  await server.kill();
  await server.restart();
  await until(async () => {
    expect(await store.find(session.id)).toEqual(keeps ? session : undefined);
  });
  return server;
}
