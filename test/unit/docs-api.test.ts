// docs/api.md has every route and every error code of the control plane, and the README every environment variable.
import { expect, it } from "vitest";
import { startTestControlPlane } from "../../control-plane/test/support/control-plane.js";
import { ERRORS } from "../../control-plane/src/http/errors.js";
import { sectionOf, tableUnder, textOf, withoutTicks } from "./docs.js";

it("docs/api.md has a heading for each route of the OpenAPI document", async () => {
  const plane = await startTestControlPlane();
  const { paths } = (await plane.call("GET", "/openapi.json")).body as { paths: Record<string, object> };
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const headings = [...textOf("docs/api.md").matchAll(/^### `(.+)`$/gm)].map(([, route]) => route);
  expect(headings.sort()).toEqual(routes.sort());
});

it("docs/api.md has every error code with its status", () => {
  const documented = tableUnder("docs/api.md", "Errors").map(([code = "", status]) => [withoutTicks(code), status]);
  expect(documented).toEqual(Object.entries(ERRORS).map(([code, { status }]) => [code, String(status)]));
});

it("the README names every environment variable that a program reads", () => {
  const sources = ["control-plane/src/settings.ts", "scripts/settings.ts", "assembly/contract.ts"].map(textOf).join();
  const read = [...new Set([...sources.matchAll(/"(SLUICE_[A-Z_]+)"/g)].map(([, name]) => name))];
  const table = sectionOf("README.md", "Configuration");
  expect(read.length).toBeGreaterThan(10);
  expect(read.filter((name) => !table.includes(`\`${name ?? ""}\``))).toEqual([]);
});
