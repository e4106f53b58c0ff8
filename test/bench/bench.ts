// npm run bench: what Sluice costs beside other filters, side by side in one Envoy (docs/performance.md).
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "../../scripts/failure.js";
import { benchArguments, type BenchArguments, type PartName } from "./stand/arguments.js";
import { requestPathChart } from "./stand/chart.js";
import { leaveEnvoysCore } from "./stand/cores.js";
import { fullTable } from "./parts/full-table.js";
import { hostCalls } from "./parts/host-calls.js";
import { limits } from "./parts/limits.js";
import { benchFilters } from "./stand/installation.js";
import { requireH2load } from "./stand/load.js";
import { machineAtStart } from "./stand/machine.js";
import type { Part } from "./stand/part.js";
import { requestPath } from "./parts/request-path.js";
import { routes } from "./parts/routes.js";
import { scale } from "./parts/scale.js";
import { settle } from "./parts/settle.js";
import { sectionText, type Section } from "./stand/section.js";
import { ticks } from "./parts/ticks.js";
import { tokenPlaces } from "./parts/token-places.js";
import { workers } from "./parts/workers.js";

const PARTS: Record<PartName, (part: Part) => Promise<Section[]>> = {
  "request-path": requestPath,
  "host-calls": hostCalls,
  routes,
  limits,
  "token-places": tokenPlaces,
  settle,
  "full-table": fullTable,
  ticks,
  workers,
  scale,
};

async function main(wanted: BenchArguments): Promise<void> {
  requireH2load();
  leaveEnvoysCore();
  const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));
  const say = (line: string): void => {
    console.error(`bench: ${line}`);
  };
  const sections: Section[] = [];
  let done = false;
  try {
    console.log(`${machineAtStart()}\n`);
    const part: Part = { quick: wanted.quick, filterPath: await benchFilters(), folder, say };
    for (const name of wanted.parts) {
      for (const section of await PARTS[name](part)) {
        sections.push(section);
        console.log(sectionText(section));
      }
    }
    write(wanted, sections);
    done = true;
  } finally {
    if (done) rmSync(folder, { recursive: true, force: true });
    else say(`logs are in ${folder}`);
  }
}

function write({ json, svg, quick }: BenchArguments, sections: readonly Section[]): void {
  const ratios = Object.assign({}, ...sections.map((section) => section.ratios)) as Record<string, number>;
  const figures = Object.assign({}, ...sections.map((section) => section.figures)) as Record<string, number>;
  if (json !== null) writeFileSync(json, `${JSON.stringify({ quick, ratios, figures, sections }, null, 2)}\n`);
  if (svg !== null) writeFileSync(svg, requestPathChart(sections));
}

await (async () => main(benchArguments(process.argv.slice(2))))().catch((error: unknown) => {
  console.error(`bench: ${describe(error)}`);
  process.exitCode = 1;
});
