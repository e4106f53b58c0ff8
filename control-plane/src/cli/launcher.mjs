#!/usr/bin/env node
// What `./sluice` is a link to: starts the built command, or says that it is not built yet. Plain JavaScript for that.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const built = new URL("../../../build/js/control-plane/src/cli/main.js", import.meta.url);

if (existsSync(fileURLToPath(built))) {
  await import(built.href);
} else {
  console.error("sluice: the command is not built yet. Build it once: npm run build:changed");
  process.exitCode = 2;
}
