// What a store's server has done, as it counts it itself.
import type { StoreServer } from "../../../control-plane/test/support/servers/store-server.js";

export interface ServerOperations {
  /** Commands, those within scripts too. NaN where there is no server. */
  readonly all: number;
  /** Scripts that were called. */
  readonly scripts: number;
}

const COMMAND = /^cmdstat_([^:]+):calls=(\d+)/gm;
const SCRIPTS = ["eval", "evalsha", "fcall"];
/** What the benchmark asks itself. */
const OWN = ["info"];

export async function operationsOf(server: StoreServer | undefined): Promise<ServerOperations> {
  if (server === undefined) return { all: NaN, scripts: NaN };
  const said = await server.command("INFO", "commandstats");
  return countedIn(typeof said === "string" ? said : "");
}

/** @param said what INFO commandstats says */
export function countedIn(said: string): ServerOperations {
  const commands = [...said.matchAll(COMMAND)].map(([, name = "", calls]) => ({ name, calls: Number(calls) }));
  const sumOf = (some: readonly { readonly calls: number }[]): number =>
    some.reduce((sum, { calls }) => sum + calls, 0);
  return {
    all: sumOf(commands.filter(({ name }) => !OWN.includes(name))),
    scripts: sumOf(commands.filter(({ name }) => SCRIPTS.includes(name))),
  };
}
