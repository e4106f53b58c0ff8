// More sessions than the table holds: what a request then costs, which are denied, and that the limit still holds.
import { ADDED_COLUMNS, addedRow } from "./added-cpu.js";
import { cpuTimeNs } from "../stand/cpu-time.js";
import { addedNs } from "./differences.js";
import { EnvoyAdmin } from "../../e2e/harness/envoy-admin.js";
import { drive, openHttp2, times } from "../../e2e/harness/http2-load.js";
import type { Installation } from "../stand/installation.js";
import { manySessions } from "../stand/load.js";
import { withInstallation, type Part } from "../stand/part.js";
import { inTurns, type Turn } from "./rounds.js";
import { percent, type Section } from "../stand/section.js";
import { BARE, sluiceVariant, TEN, type Variant } from "../stand/variants.js";

/** Records of the small tables, and how many times as many sessions come. */
const CAPACITY = 1024;
const TIMES = 4;
const SOON = { onUnreachable: "deny", controlPlane: { acquireTimeout: 150, reportInterval: 300 } };
const SMALL_VARIANTS = ["deny", "allow"] as const;

export async function fullTable(part: Part): Promise<Section[]> {
  const small = (onTableFull: (typeof SMALL_VARIANTS)[number]): Variant => {
    const policy = { ...SOON, onTableFull, table: { name: `full-${onTableFull}`, capacity: CAPACITY } };
    return sluiceVariant(onTableFull, `a table of ${CAPACITY}, onTableFull: ${onTableFull}`, part.filterPath, policy);
  };
  const roomy = sluiceVariant("roomy", "a table with room for all", part.filterPath, { table: { name: "roomy" } });
  const variants = [BARE, roomy, ...SMALL_VARIANTS.map(small)];
  return withInstallation(part, "full-table", { variants, sessions: TIMES * CAPACITY }, async (installation) => {
    part.say(`${TIMES * CAPACITY} sessions in turn, a table of ${CAPACITY}`);
    return [await costOf(installation, variants, part.quick), await limitOf(installation, part.quick)];
  });
}

async function costOf(installation: Installation, variants: readonly Variant[], quick: boolean): Promise<Section> {
  const { tokens, envoyPid } = installation;
  const requests = tokens.length;
  const served = new Map<string, number>();
  const turns = variants.map(({ name }): Turn => {
    let next = 0;
    const load = async (): Promise<number> => {
      const answers = await manySessions(
        installation.portOf(name),
        requests,
        () => tokens[next++ % tokens.length] ?? "",
      );
      served.set(name, (answers[200] ?? 0) / requests);
      return requests;
    };
    return { name, load };
  });
  const rounds = await inTurns(turns, quick ? 3 : 8, () => cpuTimeNs(envoyPid));
  const stats = await new EnvoyAdmin(installation.adminPort).stats();
  return {
    title: "A full table",
    method:
      `${requests} sessions, one request each in turn, over tables of ${CAPACITY} records. "served": in the last round. ` +
      `Evictions in all: ${stats.get("wasmcustom.sluice_table_evictions_total") ?? 0}.`,
    columns: [...ADDED_COLUMNS, "served"],
    rows: variants
      .filter(({ name }) => name !== "bare")
      .map(({ name, what }) => [...addedRow(rounds, name, "bare", `${name}: ${what}`), percent(served.get(name) ?? 0)]),
    figures: Object.fromEntries(
      ["roomy", ...SMALL_VARIANTS].map((name) => [`fullTable.${name}AddedNs`, addedNs(rounds, [name], "bare")]),
    ),
  };
}

/** Sessions with ten tokens that never refill, twice as many as there is room for, and 20 requests each. */
async function limitOf(installation: Installation, quick: boolean): Promise<Section> {
  const sessions = quick ? 300 : 2 * CAPACITY;
  const attempts = 20;
  const rows: string[][] = [];
  const figures: Record<string, number> = {};
  for (const variant of SMALL_VARIANTS) {
    const tokens: string[] = [];
    for (let i = 0; i < sessions; i++) tokens.push(await installation.issue(TEN.name));
    const { perSession, statuses } = await countAdmitted(installation.portOf(variant), tokens, attempts);
    const over = perSession.filter((count) => count > TEN.maxTokens).length;
    const admitted = perSession.reduce((sum, count) => sum + count, 0);
    rows.push(
      [
        variant,
        admitted,
        sessions * TEN.maxTokens,
        Math.max(...perSession),
        statuses[429] ?? 0,
        statuses[503] ?? 0,
      ].map(String),
    );
    figures[`fullTable.${variant}SessionsOverTheLimit`] = over;
  }
  return {
    title: "What the limit still keeps in a full table",
    method: `${sessions} sessions of ${TEN.maxTokens} tokens each, no refill, ${attempts} requests a session, in turn.`,
    columns: ["onTableFull", "admitted", "tokens in all", "most of one session", "429", "503"],
    rows,
    figures,
  };
}

async function countAdmitted(port: number, tokens: readonly string[], attempts: number) {
  const connections = await Promise.all(Array.from({ length: 4 }, () => openHttp2(port)));
  const perSession = tokens.map(() => 0);
  const statuses: Record<number, number> = {};
  const IN_FLIGHT = 64;
  for (let attempt = 0; attempt < attempts; attempt++) {
    for (let from = 0; from < tokens.length; from += IN_FLIGHT) {
      const batch = tokens.slice(from, from + IN_FLIGHT).map(async (token, i) => {
        const connection = connections[i % connections.length];
        if (connection === undefined) throw new Error("there is no connection");
        const next = times(1, { "x-session-id": token });
        const result = await drive({ connections: [connection], inFlight: 1, next });
        perSession[from + i] = (perSession[from + i] ?? 0) + (result.statuses[200] ?? 0);
        for (const [status, count] of Object.entries(result.statuses)) {
          statuses[Number(status)] = (statuses[Number(status)] ?? 0) + count;
        }
      });
      await Promise.all(batch);
    }
  }
  for (const connection of connections) connection.close();
  return { perSession, statuses };
}
