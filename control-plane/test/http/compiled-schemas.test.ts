// Listeners share what their schemas are compiled to, and only what is the same.
import { expect, it } from "vitest";

import { COMPILERS } from "../../src/http/compiled-schemas.js";

interface Route {
  readonly schema: object;
}
const { buildSerializer, buildValidator } = COMPILERS as Record<
  keyof typeof COMPILERS,
  (shared: object, options: object) => (route: Route) => (value: unknown) => unknown
>;

const named = (name: string): object => ({ type: "object", properties: { [name]: { type: "string" } } });
const REFERRING = { type: "object", properties: { of: { $ref: "part#" } } };
const shared = (name: string): object => ({ part: { $id: "part", ...named(name) } });

it("a schema is compiled once, for all applications that have it", () => {
  for (const build of [buildSerializer, buildValidator]) {
    const compiled = build({}, { customOptions: {} })({ schema: named("a") });
    expect(build({}, { customOptions: {} })({ schema: named("a") })).toBe(compiled);
  }
});

it("a schema that differs, by itself or in what it refers to, is compiled apart", () => {
  const value = { of: { a: "1", b: "2" }, a: "1", b: "2" };
  const written = (name: string): unknown => buildSerializer({}, {})({ schema: named(name) })(value);
  expect([written("a"), written("b")]).toEqual(['{"a":"1"}', '{"b":"2"}']);
  const referring = (name: string): unknown => buildSerializer(shared(name), {})({ schema: REFERRING })(value);
  expect([referring("a"), referring("b")]).toEqual(['{"of":{"a":"1"}}', '{"of":{"b":"2"}}']);
});
