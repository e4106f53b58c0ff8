// The work beside requests: ticks, the sweep and reports, in an Envoy without traffic and in a busy one.
import { setTimeout as sleep } from "node:timers/promises";
import { ADDED_COLUMNS, addedRow } from "./added-cpu.js";
import { cpuTimeNs } from "../stand/cpu-time.js";
import { addedNs } from "./differences.js";
import { manySessions } from "../stand/load.js";
import { withInstallation, type Part } from "../stand/part.js";
import { inTurns, type Turn } from "./rounds.js";
import { us, type Section } from "../stand/section.js";
import { BARE, sluiceVariant, type Variant } from "../stand/variants.js";

const SESSIONS = 10_000;
/** Longer than the shorter report interval: what a round spent is reported before it ends. */
const REPORTED_WITHIN_MS = 2_500;

export async function ticks(part: Part): Promise<Section[]> {
  const seconds = part.quick ? 3 : 15;
  part.say(`without traffic, twice ${seconds} s; then ${SESSIONS} sessions and their reports`);
  const bareNs = await withInstallation(part, "idle-bare", { variants: [BARE] }, ({ envoyPid }) =>
    idleNs(envoyPid, seconds),
  );
  const every = (name: string, what: string, reportInterval: number): Variant => {
    const controlPlane = { acquireTimeout: 10_000, reportInterval };
    return sluiceVariant(name, what, part.filterPath, { controlPlane, table: { name } });
  };
  const variants = [
    BARE,
    every("often", "usage reported every second", 1000),
    every("seldom", "usage reported every minute", 60_000),
  ];
  return withInstallation(part, "busy", { variants, sessions: SESSIONS }, async (installation) => {
    const turns = variants.map(({ name }): Turn => {
      let next = 0;
      const load = async (): Promise<number> => {
        const { tokens } = installation;
        await manySessions(installation.portOf(name), 2 * SESSIONS, () => tokens[next++ % SESSIONS] ?? "");
        await sleep(REPORTED_WITHIN_MS);
        return 2 * SESSIONS;
      };
      return { name, load };
    });
    const rounds = await inTurns(turns, part.quick ? 2 : 8, () => cpuTimeNs(installation.envoyPid));
    const sluiceNs = await idleNs(installation.envoyPid, seconds);
    const idle: Section = {
      title: "An Envoy without traffic",
      method: `CPU a second over ${seconds} s; with Sluice: two policies of 65,536 records each, ${SESSIONS} of them in use.`,
      columns: ["", "µs of CPU a second"],
      rows: [
        ["without Sluice", us(bareNs)],
        ["with two policies of Sluice", us(sluiceNs)],
      ],
      figures: { "idle.bareNsPerSecond": bareNs, "idle.sluiceNsPerSecond": sluiceNs },
    };
    const busy: Section = {
      title: "Reports of a busy worker",
      method: `${SESSIONS} sessions, two requests each, then ${REPORTED_WITHIN_MS / 1000} s in which they are reported or not.`,
      columns: ADDED_COLUMNS,
      rows: variants.slice(1).map(({ name, what }) => addedRow(rounds, name, "bare", `${name}: ${what}`)),
      figures: { "busy.reportNsPerRequest": addedNs(rounds, ["often"], "seldom") },
    };
    return [idle, busy];
  });
}

/** Nanoseconds of CPU that the process uses in a second, measured over some. */
async function idleNs(pid: number, seconds: number): Promise<number> {
  await sleep(1000);
  const before = cpuTimeNs(pid);
  const startedMs = performance.now();
  await sleep(seconds * 1000);
  return ((cpuTimeNs(pid) - before) * 1000) / (performance.now() - startedMs);
}
