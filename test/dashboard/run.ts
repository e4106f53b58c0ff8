// npm run dashboard: the dashboard for Grafana, and a picture of what it shows of an installation that runs for a while.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DASHBOARD_FILE, dashboardText } from "../../scripts/dashboard/dashboard.js";
import { describe } from "../../scripts/failure.js";
import { projectRoot } from "../../scripts/project-root.js";
import { dashboardArguments } from "./arguments.js";
import { drawDashboard } from "./draw-dashboard.js";

const PICTURE_FILE = "docs/dashboard.svg";

async function main(argv: readonly string[]): Promise<void> {
  const wanted = dashboardArguments(argv);
  if (wanted.write) writeFileSync(join(projectRoot, DASHBOARD_FILE), dashboardText());
  if (wanted.picture) writeFileSync(join(projectRoot, PICTURE_FILE), await drawDashboard(wanted.seconds, say));
  if (!wanted.write && !wanted.picture) process.stdout.write(dashboardText());
}

function say(line: string): void {
  console.error(`dashboard: ${line}`);
}

await main(process.argv.slice(2)).catch((error: unknown) => {
  say(describe(error));
  process.exitCode = 1;
});
// Connections that are kept would hold it.
process.exit();
