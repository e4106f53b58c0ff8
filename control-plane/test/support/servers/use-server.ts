// Servers for the tests of a file or of a describe block: found or fetched, started once, ended after them.
import { afterAll, beforeAll, beforeEach } from "vitest";

import { findServer, type FoundServer, type ServerName } from "../../../../scripts/test/get-store-servers.js";
import type { ServerProgram } from "../../../../scripts/test/get-store-servers.js";
import { notRun } from "../../../../scripts/test/not-run.js";
import type { ServerOptions } from "./server-settings.js";
import { StoreServer } from "./store-server.js";

/** A package and those that it needs, over a slow network. */
const FETCH_MS = 120_000;

const searches = new Map<ServerName, Promise<FoundServer>>();

/** Looked for once a worker. */
function searched(name: ServerName): Promise<FoundServer> {
  const search = searches.get(name) ?? findServer(name);
  searches.set(name, search);
  return search;
}

/**
 * The program of a server, for the tests that follow in this file or describe block; they are named as not run where it
 * cannot be had. To be called outside of tests.
 */
export function useProgram(name: ServerName): () => ServerProgram {
  let found: FoundServer = { reason: `${name} has not been looked for` };
  beforeAll(async () => {
    found = await searched(name);
  }, FETCH_MS);
  beforeEach((context) => {
    if ("reason" in found) notRun(context, found.reason);
  });
  return () => {
    if ("reason" in found) throw new Error(found.reason);
    return found.program;
  };
}

/**
 * One server for the tests that follow, without what an earlier one left in it. To be called outside of tests.
 * @param options a function is asked before the first test
 */
export function useServer(name: ServerName, options: ServerOptions | (() => ServerOptions) = {}): () => StoreServer {
  const program = useProgram(name);
  let server: StoreServer | undefined;
  beforeEach(async () => {
    if (server === undefined)
      server = await StoreServer.start(program(), typeof options === "function" ? options() : options);
    else await asNew(server);
  });
  afterAll(() => server?.remove());
  return () => {
    if (server === undefined) throw new Error(`${name} runs in tests only`);
    return server;
  };
}

/** Whatever the test before did to it: it may be paused, or gone. */
async function asNew(server: StoreServer): Promise<void> {
  server.resume();
  if (!server.running) await server.restart();
  await server.flush();
}
