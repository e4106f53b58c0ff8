// What the linters of others say of docs/openapi.json. test/openapi/ has their versions, and each rule that is off, with why.
import { join } from "node:path";
import { expect, it } from "vitest";
import { projectRoot } from "../../../scripts/project-root.js";
import { runCommand } from "../../../scripts/run-command.js";
import { findOpenApiLinters } from "../../../scripts/test/get-openapi-linters.js";
import { notRun } from "../../../scripts/test/not-run.js";

const DOCUMENT = join(projectRoot, "docs/openapi.json");
const rules = (name: string): string => join(projectRoot, "test/openapi", name);
const found = await findOpenApiLinters();
/** They ask nobody for a newer version, and tell nobody of their use. */
const QUIET = { REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true", CI: "true" };
const lint = (programs: string, program: string, args: readonly string[]) =>
  runCommand(join(programs, program), [...args, DOCUMENT], { env: { ...process.env, ...QUIET } });

it("Redocly's linter finds nothing wrong with docs/openapi.json", async (context) => {
  if ("reason" in found) return notRun(context, found.reason);
  const args = ["lint", "--config", rules("redocly.yaml"), "--format=json"];
  const { code, stdout, stderr } = await lint(found.programs, "redocly", args);
  const { problems } = JSON.parse(stdout === "" ? "{}" : stdout) as { problems?: unknown };
  expect({ code, problems }, stderr).toEqual({ code: 0, problems: [] });
});

it("Spectral finds nothing wrong with docs/openapi.json", async (context) => {
  if ("reason" in found) return notRun(context, found.reason);
  const args = ["lint", "--ruleset", rules("spectral.yaml"), "--format=json", "--fail-severity=hint", "--quiet"];
  const { code, stdout, stderr } = await lint(found.programs, "spectral", args);
  expect({ code, problems: JSON.parse(stdout === "" ? "null" : stdout) as unknown }, stderr).toEqual({
    code: 0,
    problems: [],
  });
});
