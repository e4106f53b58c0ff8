// Before the first test: what the installation runs is built from the sources as they are now.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { projectRoot } from "../../../scripts/project-root.js";

/** Takes a moment when nothing has changed since the last build. */
export default function setup(): void {
  const build = spawnSync(process.execPath, [join(projectRoot, "scripts/bootstrap.mjs"), "build"], {
    cwd: projectRoot,
    stdio: "inherit",
  });
  if (build.status !== 0) throw new Error("there is nothing to test end to end: `npm run build` says why");
}
