// docs/api.md, docs/errors.md and the README's variables say of the API and the settings what the code does.
import { describe, expect, it } from "vitest";
import * as contract from "../../assembly/contract.js";
import { networkFrom, TrustedProxies } from "../../control-plane/src/app/access/trusted-proxies.js";
import { ERRORS } from "../../control-plane/src/http/errors.js";
import { CreateSessionBody } from "../../control-plane/src/http/schemas.js";
import { STATUS_PATHS } from "../../control-plane/src/http/status/status-routes.js";
import { readSettings } from "../../control-plane/src/settings/settings.js";
import {
  ADMIN_TOKEN,
  ISSUER_TOKEN,
  KEYS,
  startTestControlPlane,
} from "../../control-plane/test/support/control-plane.js";
import { sectionOf, tableUnder, textOf, withoutTicks } from "./docs.js";

interface Route {
  readonly method: string;
  readonly path: string;
  /** Who may call it, as the page says. */
  readonly who: string;
}

/** A route is a heading such as "### `GET /v1/sessions`"; the words below it say who may call it. */
const documented: Route[] = [...textOf("docs/api.md").matchAll(/^### `([A-Z]+) (\S+)`\n\n([A-Z][a-z ]+)\./gm)].map(
  ([, method = "", path = "", who = ""]) => ({ method, path, who }),
);

const CALLERS: Readonly<Record<string, object>> = {
  Open: { nobody: true, edge: true, issuer: true, operator: true },
  Edge: { nobody: false, edge: true, issuer: false, operator: false },
  Operator: { nobody: false, edge: false, issuer: false, operator: true },
  "Issuer or operator": { nobody: false, edge: false, issuer: true, operator: true },
};

describe("docs/api.md", () => {
  it("docs/api.md has a heading for each route, and who may call it", async () => {
    const plane = await startTestControlPlane();
    const { paths } = (await plane.call("GET", "/openapi.json")).body as { paths: Record<string, object> };
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(documented.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(routes.sort());
  });

  it.each(documented)("docs/api.md is right about who may call $method $path: $who", async ({ method, path, who }) => {
    const plane = await startTestControlPlane();
    // What no route takes: who may call is then all that it tells.
    const body = method === "GET" ? undefined : "[";
    const isLetIn = async (credential: string): Promise<boolean> => {
      const { status } = await plane.call(method, path.replace("{id}", "none"), body, credential);
      return status !== 401 && status !== 403;
    };
    expect({
      nobody: await isLetIn("no-credential-at-all"),
      edge: await isLetIn(KEYS.edgeCredential),
      issuer: await isLetIn(ISSUER_TOKEN),
      operator: await isLetIn(ADMIN_TOKEN),
    }).toEqual(CALLERS[who]);
  });
});

it("the README shows a new session with the fields that it has", async () => {
  const plane = await startTestControlPlane();
  const [shown = ""] = /\{"session":\{.*?\}\n/s.exec(textOf("README.md")) ?? [];
  const fieldsOf = ({ session }: { session: object }): string[] => Object.keys(session);
  const { body } = await plane.call("POST", "/v1/sessions", { userId: "u1", orgId: "o1" });
  expect(fieldsOf(JSON.parse(shown) as { session: object })).toEqual(fieldsOf(body as { session: object }));
});

it("docs/api.md names what is on the status listener, and nothing else is", () => {
  const rows = tableUnder("docs/api.md", "Status").map(([path = ""]) => withoutTicks(path));
  expect(rows).toEqual(STATUS_PATHS);
});

it("docs/operations.md reads X-Forwarded-For as the control plane does", () => {
  const section = sectionOf("docs/operations.md", "A proxy in front of the API").replaceAll("\n", " ");
  const [, trusted = ""] = /SLUICE_TRUSTED_PROXIES=(\S+)/.exec(section) ?? [];
  const [, header = "", peer = "", caller = ""] =
    /`X-Forwarded-For: (.*?)` on a connection from (\S+) is a call of (\S+)\./.exec(section) ?? [];
  const proxies = new TrustedProxies(trusted.split(",").flatMap((entry) => networkFrom(entry) ?? []));
  expect(proxies.callerBehind(peer, header)).toBe(caller);
});

it("docs/api.md says how long each text of a new session may be", () => {
  const { userId, orgId, metadata } = CreateSessionBody.properties;
  const { userAgent, route } = metadata.properties;
  const section = sectionOf("docs/api.md", "`POST /v1/sessions`").replaceAll("\n", " ");
  expect(section).toContain(`\`userId\`, \`orgId\`: 1 to ${maxLengthOf(userId, orgId)} characters`);
  expect(section).toContain(`\`userAgent\` and \`route\` have at most ${maxLengthOf(userAgent, route)} characters`);
});

/** Of two fields that allow the same. */
function maxLengthOf(...fields: readonly object[]): string {
  const lengths = new Set(fields.map((field) => String((field as { maxLength?: number }).maxLength)));
  return [...lengths].join(" or ");
}

describe("docs/errors.md", () => {
  it("docs/errors.md has every code of the control plane, and says what to do", () => {
    const rows = tableUnder("docs/errors.md", "The control plane");
    const inDocs = rows.map(([code = "", status, message]) => [withoutTicks(code), status, message]);
    const known = Object.entries(ERRORS).map(([code, { status, message }]) => [code, String(status), message]);
    expect(inDocs).toEqual(known);
    for (const [code, , , advice] of rows) expect(advice, code).toMatch(/\S/);
  });

  it("docs/errors.md has every code and message of the filter", () => {
    const rows = tableUnder("docs/errors.md", "The filter");
    const named = (start: string): string[] =>
      Object.entries(contract).flatMap(([name, value]) => (name.startsWith(start) ? [String(value)] : []));
    expect([...new Set(rows.map(([code = ""]) => withoutTicks(code)))].sort()).toEqual(named("CODE_").sort());
    expect(rows.map(([, , message]) => message).sort()).toEqual(named("MESSAGE_").sort());
  });
});

it("the README names every environment variable that a program reads", () => {
  const read = new Set<string>();
  readSettings(new Proxy<Record<string, string>>({}, { get: (_target, name) => void read.add(String(name)) }));
  const sources = ["scripts/start/settings.ts", "assembly/contract.ts"].map(textOf).join();
  for (const [, name = ""] of sources.matchAll(/"(SLUICE_[A-Z_]+)"/g)) read.add(name);
  const table = sectionOf("README.md", "Configuration");
  expect(read.size).toBeGreaterThan(20);
  // Of one listener alone: the README has those for both, and says how the others are named.
  const ofBoth = [...read].map((name) => name.replace(/^SLUICE_(HTTP|XDS)_TLS_/, "SLUICE_TLS_"));
  expect(ofBoth.filter((name) => !table.includes(`\`${name}\``))).toEqual([]);
});
