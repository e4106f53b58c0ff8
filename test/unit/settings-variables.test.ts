// The list of SLUICE_ variables: it holds what the programs read, no more, and the documents describe each of them.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ENV_SECRET, ENV_SECRET_ALSO } from "../../assembly/contract.js";
import { given } from "../../control-plane/src/settings/environment.js";
import { unknownVariables } from "../../control-plane/src/settings/unknown-variables.js";
import { fileVariable, SECRET_VARIABLES, VARIABLES } from "../../control-plane/src/settings/variables.js";
import type { Variable } from "../../control-plane/src/settings/variables.js";
import { projectRoot } from "../../scripts/project-root.js";
import { tableUnder, textOf } from "./docs.js";

const LIST = "control-plane/src/settings/variables.ts";
const NAME = /SLUICE_[A-Z0-9]+(?:_[A-Z0-9]+)*/g;
/** Where variables are read: types keep a reader from any other name. */
const SOURCES = ["control-plane/src", "scripts", "assembly"]
  .flatMap((folder) =>
    readdirSync(join(projectRoot, folder), { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
  )
  .filter((path) => /\.(ts|mjs)$/.test(path) && path !== LIST);
const FILE_FORMS: readonly Variable[] = SECRET_VARIABLES.map(fileVariable);

it("every known variable is named where a program reads it", () => {
  const named = new Set(
    SOURCES.flatMap((path) => [...textOf(path).matchAll(/"(SLUICE_\w+)"/g)].map(([, name]) => name)),
  );
  expect(VARIABLES.filter((name) => !named.has(name) && !FILE_FORMS.includes(name))).toEqual([]);
});

it("every variable that a program, Compose or an example sets is a known one", () => {
  const files = [
    "docker-compose.yml",
    "Dockerfile",
    "envoy/kubernetes/folder/sluice.yaml",
    "envoy/kubernetes/shared/sluice.yaml",
    ...SOURCES,
  ];
  const set = files.flatMap((path) => textOf(path).match(/\bSLUICE_[A-Z_0-9]+(?=['"]?[:=] )/g) ?? []);
  expect(set).toContain("SLUICE_UPSTREAM_HOST");
  expect(unknownVariables(Object.fromEntries(set.map((name) => [name, "1"])))).toEqual([]);
});

it("the filter's variables are known to the other programs", () => {
  expect(VARIABLES).toEqual(expect.arrayContaining([ENV_SECRET, ENV_SECRET_ALSO]));
});

it("the documents' tables of variables have each known variable, and no other", () => {
  const rows = [...tableUnder("README.md", "Configuration"), ...tableUnder("docs/cli.md", "Where, and as whom")];
  const described = new Set(rows.flatMap(([names = ""]) => names.match(NAME) ?? []));
  expect([...described].sort()).toEqual([...VARIABLES].sort());
});

it.each([
  ["SLUICE_HTTP_PROT", "SLUICE_HTTP_PORT"],
  ["SLUICE_SECRET_FILES", "SLUICE_SECRET_FILE"],
  ["SLUICE_TLS_CERT", "SLUICE_TLS_CERT_FILE or SLUICE_HTTP_TLS_CERT_FILE"],
  ["SLUICE_TOKEN", "SLUICE_ADMIN_TOKEN or SLUICE_ISSUER_TOKEN"],
  ["SLUICE_TOKEN_FILE", "SLUICE_ADMIN_TOKEN_FILE or SLUICE_ISSUER_TOKEN_FILE"],
  ["SLUICE_POLICY_FILE", "SLUICE_POLICY"],
  ["SLUICE_HOST", "SLUICE_HTTP_HOST or SLUICE_STATUS_HOST or SLUICE_PROXY_HOST or SLUICE_UPSTREAM_HOST"],
  ["SLUICE_LOGLEVEL", "SLUICE_LOG_LEVEL"],
])("the misspelt variable %s is answered by the one that is meant", (name, meant) => {
  expect(unknownVariables({ [name]: "1" })).toEqual([`${name}: there is no such setting; did you mean ${meant}?`]);
});

it("a name that many variables may be meant by is answered by two, and by where all are listed", () => {
  const said = 'SLUICE_HTTP_PORT or SLUICE_STATUS_PORT? README.md, "Configuration", lists all';
  expect(unknownVariables({ SLUICE_PORT: "80" })).toEqual([
    `SLUICE_PORT: there is no such setting; did you mean ${said}`,
  ]);
});

it("a port that Kubernetes sets for a service of that name counts as not set", () => {
  expect(given({ SLUICE_HTTP_PORT: "tcp://10.96.0.17:8080" }, "SLUICE_HTTP_PORT")).toBeUndefined();
  expect(given({ SLUICE_HTTP_PORT: "8080" }, "SLUICE_HTTP_PORT")).toBe("8080");
});

it("a number in place of a service's address is no link: SLUICE_PORT is misspelt then", () => {
  expect(unknownVariables({ SLUICE_PORT: "tcp://10.96.0.17:8080" })).toEqual([]);
  expect(unknownVariables({ SLUICE_PORT: "8080" })).toHaveLength(1);
});
