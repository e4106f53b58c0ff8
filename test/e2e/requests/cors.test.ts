// What envoy/browsers.yaml makes of a preflight and of the answers to a page of another origin, header by header, and what
// comes of the same two entries in the wrong order.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { until } from "../../../control-plane/test/support/until.js";
import { projectRoot } from "../../../scripts/project-root.js";
import { INVALID, MISSING } from "../harness/answers.js";
import { changed, HTTP_FILTERS, prepend, withCors, withFirstFiltersSwapped } from "../harness/bootstrap.js";
import type { HttpAnswer } from "../harness/http1.js";
import { type Installation, useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";

const ORIGIN = "https://app.example.com";
const policy = policyOf([{ name: "default", maxTokens: 100, tokenRefillRate: 0 }]);

/** As a browser asks before a page's request with the session's header. */
function preflight(to: Installation, origin = ORIGIN): Promise<HttpAnswer> {
  const asks = { "access-control-request-method": "GET", "access-control-request-headers": "x-session-id" };
  return to.send({ method: "OPTIONS", path: "/api", headers: { origin, ...asks } });
}
/** What an answer says to browsers of other origins. */
const rights = ({ headers }: HttpAnswer) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith("access-control-")));

describe("an Envoy with the example for browsers", () => {
  const sluice = useInstallation({ policy, bootstrap: (yaml) => withCors(yaml, ORIGIN) });

  it("a preflight of a page that may call is answered by Envoy, without a token", async () => {
    const reached = sluice().upstream.received.length;
    const answer = await preflight(sluice());
    expect({ status: answer.status, rights: rights(answer) }).toEqual({
      status: 200,
      rights: {
        "access-control-allow-origin": ORIGIN,
        "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
        "access-control-allow-headers": "x-session-id, content-type, x-grpc-web, x-user-agent, grpc-timeout",
        "access-control-expose-headers": "ratelimit, ratelimit-policy, retry-after",
        "access-control-max-age": "7200",
      },
    });
    expect(sluice().upstream.received.length).toBe(reached);
  });

  it("a preflight of another origin is answered without the right to call, and reaches nothing", async () => {
    const reached = sluice().upstream.received.length;
    for (const origin of ["https://elsewhere.example.com", `${ORIGIN}.evil.example`, "null"]) {
      const { status, headers } = await preflight(sluice(), origin);
      expect({ status, allowed: headers["access-control-allow-origin"] }).toEqual({ status: 200, allowed: undefined });
    }
    expect(sluice().upstream.received.length).toBe(reached);
  });

  it("preflights spend nothing and are no requests without a session", async () => {
    const { token } = await sluice().api.issue();
    for (let count = 0; count < 20; count++) await preflight(sluice());
    expect((await sluice().send({ token })).headers.ratelimit).toBe('"default";r=99');
    await sluice().send({ path: "/last" });
    await until(async () => {
      const logged = sluice().envoy.log.match(/^.* sluice_missing_session .*$/gm) ?? [];
      expect(logged.at(-1)).toContain("GET /last ");
      expect(await sluice().envoyAdmin.sample('sluice_requests_total{outcome="missing"}')).toBe(logged.length);
    });
  });

  it("every answer to a page names its origin and the fields that it may read", async () => {
    const { token } = await sluice().api.issue();
    const readable = {
      "access-control-allow-origin": ORIGIN,
      "access-control-expose-headers": "ratelimit, ratelimit-policy, retry-after",
    };
    const answers = {
      200: await sluice().send({ token, headers: { origin: ORIGIN } }),
      401: await sluice().send({ headers: { origin: ORIGIN } }),
    };
    for (const [status, answer] of Object.entries(answers)) {
      expect({ status: answer.status, rights: rights(answer) }).toEqual({ status: Number(status), rights: readable });
    }
    const elsewhere = await sluice().send({ token, headers: { origin: "https://elsewhere.example.com" } });
    expect({ status: elsewhere.status, rights: rights(elsewhere) }).toEqual({ status: 200, rights: {} });
  });

  it("an OPTIONS request that is no preflight needs a session as any other", async () => {
    const { token } = await sluice().api.issue();
    const options = { method: "OPTIONS", headers: { origin: ORIGIN } };
    expect(await sluice().send(options)).toMatchObject({ status: 401, body: MISSING });
    expect(await sluice().send({ ...options, token })).toMatchObject({ status: 200 });
  });
});

describe("an Envoy with the cors filter behind Sluice", () => {
  const sluice = useInstallation({
    policy,
    bootstrap: (yaml) => withFirstFiltersSwapped(withCors(yaml, ORIGIN)),
  });

  it("a preflight behind Sluice gets 401, and so no page can call", async () => {
    const answer = await preflight(sluice());
    expect(answer).toMatchObject({ status: 401, body: MISSING });
    expect(rights(answer)).toEqual({});
  });

  it("a denial ahead of the cors filter has nothing that lets a page read it", async () => {
    const answer = await sluice().send({ token: "invented", headers: { origin: ORIGIN } });
    expect(answer).toMatchObject({ status: 401, body: INVALID });
    expect(rights(answer)).toEqual({});
  });
});

describe("a gateway of Istio, which has a cors filter of its own behind every WasmPlugin", () => {
  interface EnvoyFilter {
    readonly metadata: { readonly namespace: string };
    readonly spec: {
      readonly workloadSelector: { readonly labels: object };
      readonly configPatches: readonly { readonly patch: { readonly operation: string; readonly value: object } }[];
    };
  }
  const example = (file: string): unknown => parse(readFileSync(join(projectRoot, "envoy/istio", file), "utf8"));
  const first = example("cors-first.yaml") as EnvoyFilter;
  const [patch] = first.spec.configPatches.map((one) => one.patch);

  /** Istio's own order, and what the example puts in front of it. */
  const asIstioHasIt = (bootstrap: string): string =>
    changed(withFirstFiltersSwapped(withCors(bootstrap, ORIGIN)), (document) => {
      prepend(document, HTTP_FILTERS, [patch?.value]);
    });
  const sluice = useInstallation({ policy, bootstrap: asIstioHasIt });

  it("the example for Istio selects the gateway that the plugin selects, and goes first", () => {
    const plugin = example("wasmplugin.yaml") as { metadata: object; spec: { selector: { matchLabels: object } } };
    expect(plugin.metadata).toMatchObject({ namespace: first.metadata.namespace });
    expect(first.spec.workloadSelector.labels).toEqual(plugin.spec.selector.matchLabels);
    expect(patch?.operation).toBe("INSERT_FIRST");
  });

  it("a preflight passes where the cors filter stands first too, by the rights of the same route", async () => {
    const answer = await preflight(sluice());
    expect({ status: answer.status, origin: answer.headers["access-control-allow-origin"] }).toEqual({
      status: 200,
      origin: ORIGIN,
    });
    const denied = await sluice().send({ headers: { origin: ORIGIN } });
    expect(denied).toMatchObject({ status: 401, body: MISSING });
    expect(denied.headers["access-control-allow-origin"]).toBe(ORIGIN);
    const { token } = await sluice().api.issue();
    const allowed = await sluice().send({ token, headers: { origin: ORIGIN } });
    expect(allowed).toMatchObject({ status: 200, headers: { "access-control-allow-origin": ORIGIN } });
  });
});
