// Bytes by which a server's append-only file grows: with each session that is made, and with each row that is reported.
import type { ServerOptions } from "../../../control-plane/test/support/servers/server-settings.js";
import type { Section } from "../stand/section.js";
import type { Bench } from "./bench.js";
import { fill, newIds } from "./fill.js";
import type { FilledStore } from "./filled.js";
import { operationsOf, ROWS_OF_REPORT } from "./operations.js";
import { run } from "./runs.js";
import { sharedStore } from "./stores.js";
import type { SharedName } from "./stores.js";

const SERVERS: readonly SharedName[] = ["Redis 7", "Valkey 9"];
/** The server may not write its file anew in the middle of a measurement. */
const GROWS_ONLY: ServerOptions = {
  ...{ appendonly: true, appendfsync: "always" },
  settings: { "auto-aof-rewrite-percentage": "0" },
};

interface Measured {
  /** Of operationsOf. */
  readonly operation: string;
  readonly shown: string;
  readonly figure: string;
  /** Sessions or rows that a call writes. */
  readonly ofCall: number;
}

const MEASURED: readonly Measured[] = [
  { operation: "creation", shown: "a session that is made", figure: "session", ofCall: 1 },
  { operation: "report, 1 row", shown: "a row, 1 a report", figure: "reportedAlone", ofCall: 1 },
  {
    operation: `report, ${ROWS_OF_REPORT} rows`,
    shown: `a row, ${ROWS_OF_REPORT} a report`,
    ...{ figure: "reported", ofCall: ROWS_OF_REPORT },
  },
];

export async function appendOnly(bench: Bench, sessions: number): Promise<Section> {
  const rows: string[][] = [];
  const figures: Record<string, number> = {};
  for (const name of SERVERS) {
    bench.say(`${sessions} sessions go into ${name}, whose append-only file is looked at`);
    const filled = await filledWith(bench, name, sessions);
    const cells: string[] = [];
    for (const one of MEASURED) {
      const bytes = await grown(bench, filled, one);
      cells.push(bytes.toFixed(0));
      figures[`appendOnly.${filled.store.figure}.${one.figure}.bytes`] = bytes;
    }
    rows.push([name, ...cells]);
    await Promise.all(filled.planes.map((plane) => plane.stop()));
    await filled.store.server?.remove();
  }
  return {
    title: "Bytes of the append-only file",
    method: `By which INFO's aof_current_size grows, ${sessions} sessions in the store, one call after the other.`,
    columns: ["", ...MEASURED.map(({ shown }) => shown)],
    ...{ rows, figures },
  };
}

async function filledWith(bench: Bench, name: SharedName, sessions: number): Promise<FilledStore> {
  const store = await sharedStore(bench, name, GROWS_ONLY);
  const nowMs = Date.now();
  const ids = newIds(sessions, nowMs);
  await fill(store, { ids, nowMs, rows: 1 });
  const planes = [await store.plane()];
  return { store, ids, nowMs, planes, revs: { last: 1 }, more: () => Promise.resolve() };
}

async function grown(bench: Bench, filled: FilledStore, { operation, ofCall }: Measured): Promise<number> {
  const one = operationsOf(bench, filled).find(({ name }) => name === operation);
  if (one === undefined) throw new Error(`there is no operation "${operation}"`);
  // What an instance's first call says of it is written once.
  await run(one, filled, true);
  const before = await filled.store.bytesOnDisk();
  const { requests } = await run(one, filled, true);
  return ((await filled.store.bytesOnDisk()) - before) / (requests * ofCall);
}
