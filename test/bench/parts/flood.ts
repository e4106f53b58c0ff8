// Floods: of invented tokens, and of more sessions than there is room for. What memory they take, which requests they delay.
import { randomBytes } from "node:crypto";
import { EnvoyAdmin } from "../../e2e/harness/envoy-admin.js";
import { probedDuring } from "../measure/probe.js";
import type { Installation } from "../stand/installation.js";
import { manySessions } from "../stand/load.js";
import { residentBytes } from "../stand/memory.js";
import type { Part } from "../stand/part.js";
import { quantile } from "../stand/quantile.js";
import { mebibytes, ratio, type Section } from "../stand/section.js";

/** Below that the p99.99 is the greatest value, and says nothing. */
const PROBES_FOR_P9999 = 10_000;

interface Probed {
  readonly name: string;
  readonly times: number[];
  readonly grownBytes: number;
}

/** As many invented tokens as the largest table has sessions, at the bare listener and at Sluice, with a probe at each. */
export async function inventedFlood(part: Part, installation: Installation, count: number): Promise<Section> {
  const [genuine = ""] = installation.tokens;
  const genuineBytes = Buffer.from(genuine, "base64url");
  const invented = (): string => {
    const bytes = randomBytes(genuineBytes.length);
    // Version and key id as they should be: the tag has to be computed to know better.
    genuineBytes.copy(bytes, 0, 0, 2);
    return bytes.toString("base64url");
  };
  const probed: Probed[] = [];
  for (const name of ["bare", "scale"]) {
    part.say(`${count} invented tokens at ${name}`);
    const port = installation.portOf(name);
    const before = residentBytes(installation.envoyPid);
    const times = await probedDuring(port, genuine, () => manySessions(port, count, invented));
    probed.push({ name, times, grownBytes: residentBytes(installation.envoyPid) - before });
  }
  const enough = probed.every(({ times }) => times.length >= PROBES_FOR_P9999);
  const [bare = NaN, sluice = NaN] = probed.map(({ times }) => quantile(times, 0.9999));
  return {
    title: `A flood of ${count} invented tokens, and who is served meanwhile`,
    method:
      "A probe asks every 2 ms with a genuine token on a connection of its own while the flood runs. It shares its core with " +
      "the flood's client, so most of what it waits for is that: only the difference to bare speaks of Envoy.",
    columns: ["listener", "MiB more", "probes", "p50 ms", "p99 ms", "p99.99 ms", "max ms"],
    rows: probed.map(({ name, times, grownBytes }) => [
      name === "scale" ? "sluice" : name,
      mebibytes(grownBytes),
      String(times.length),
      ...[0.5, 0.99].map((share) => quantile(times, share).toFixed(2)),
      enough ? quantile(times, 0.9999).toFixed(2) : "too few",
      quantile(times, 1).toFixed(2),
    ]),
    ...(enough && { ratios: { "flood.p9999OfBare": sluice / bare } }),
    figures: { "flood.inventedBytes": probed[1]?.grownBytes ?? NaN },
  };
}

/** Every session there is, once, at a small table: what does not fit evicts another, or is denied. */
export async function realFlood(part: Part, installation: Installation, capacity: number): Promise<Section> {
  const { tokens, envoyPid } = installation;
  const count = tokens.length;
  part.say(`${count} real sessions at a table of ${capacity}`);
  const port = installation.portOf("small");
  // The table fills up first: what comes afterwards must not take more.
  const fill = Math.min(count / 2, 2 * capacity);
  let next = 0;
  const inTurn = () => tokens[next++] ?? "";
  const first = await manySessions(port, fill, inTurn);
  const before = residentBytes(envoyPid);
  const later = await manySessions(port, count - fill, inTurn);
  const grownBytes = residentBytes(envoyPid) - before;
  const stats = await new EnvoyAdmin(installation.adminPort).stats();
  const served = (first[200] ?? 0) + (later[200] ?? 0);
  return {
    title: `${count} real sessions against a table of ${capacity} records`,
    method: `Each sends one request. "MiB more": after the first ${fill}, with which the table is full.`,
    columns: ["MiB more", "served", "503, no room", "evictions", "share served"],
    rows: [
      [
        mebibytes(grownBytes),
        String(served),
        String((first[503] ?? 0) + (later[503] ?? 0)),
        String(stats.get("wasmcustom.sluice_table_evictions_total") ?? 0),
        ratio(served / count),
      ],
    ],
    ratios: { "flood.realServedShare": served / count },
    figures: { "flood.realBytes": grownBytes },
  };
}
