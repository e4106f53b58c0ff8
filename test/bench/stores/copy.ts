// How long `sluice store copy` takes, from LMDB to Redis and back, as an operator runs it.
import { join } from "node:path";

import { Failure } from "../../../scripts/failure.js";
import { projectRoot } from "../../../scripts/project-root.js";
import { runCommand } from "../../../scripts/run-command.js";
import { NODE_FLAGS } from "../../../scripts/start/control-plane-process.js";
import type { Section } from "../stand/section.js";
import type { Bench } from "./bench.js";
import { fill, newIds } from "./fill.js";
import { lmdbStore, sharedStore } from "./stores.js";
import type { ComparedStore } from "./stores.js";

const CHECKSUM = /checksum ([0-9a-f]+)/;

export async function copy(bench: Bench): Promise<Section[]> {
  const sessions = bench.quick ? 20_000 : 1_000_000;
  const nowMs = Date.now();
  const there = lmdbStore(bench, "copy-from");
  bench.say(`${sessions} sessions go into LMDB, to be copied`);
  await fill(there, { ids: newIds(sessions, nowMs), nowMs, rows: 1 });
  const between = await sharedStore(bench, "Redis 7");
  const back = lmdbStore(bench, "copy-back");
  const rows: string[][] = [];
  const figures: Record<string, number> = {};
  const checksums = new Set<string>();
  for (const [from, to] of [
    [there, between],
    [between, back],
  ] as const) {
    bench.say(`copying from ${from.name} to ${to.name}`);
    const { seconds, checksum } = await copied(from, to);
    checksums.add(checksum);
    const name = `${from.name} to ${to.name}`;
    const megabytes = (await to.bytesOnDisk()) / 1e6;
    rows.push([name, seconds.toFixed(1), (sessions / seconds).toFixed(0), megabytes.toFixed(0)]);
    figures[`copy.${name.replaceAll(/\W+/g, "")}.seconds`] = seconds;
  }
  if (checksums.size !== 1) throw new Failure(`the copies differ: ${[...checksums].join(", ")}`);
  await between.server?.remove();
  return [
    {
      title: `sluice store copy, ${sessions} sessions with a row each`,
      method: "The whole command, with the comparison at its end; both checksums are the same.",
      columns: ["", "seconds", "sessions a second", "MB on disk"],
      ...{ rows, figures },
    },
  ];
}

async function copied(from: ComparedStore, to: ComparedStore): Promise<{ seconds: number; checksum: string }> {
  const program = join(projectRoot, "build/js/control-plane/src/store-admin.js");
  const args = [...NODE_FLAGS, program, "copy", "--from", from.shown, "--to", to.shown];
  const startedMs = performance.now();
  const { code, output } = await runCommand(process.execPath, args, { env: { PATH: process.env.PATH } });
  if (code !== 0) throw new Failure(`a copy ended with ${code}: ${output}`);
  return { seconds: (performance.now() - startedMs) / 1000, checksum: CHECKSUM.exec(output)?.[1] ?? "none" };
}
