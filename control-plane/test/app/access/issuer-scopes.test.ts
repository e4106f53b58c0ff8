// What an issuer's token may do: each route by scope, and with a session of its own, of another, and with none.
import { describe, expect, it, vi } from "vitest";

import { SCOPES } from "../../../src/domain/issuers/issuer.js";
import type { Scope } from "../../../src/domain/issuers/issuer.js";
import {
  ADMIN_TOKEN,
  created,
  expectError,
  ISSUER_TOKEN,
  shown,
  startTestControlPlane,
} from "../../support/control-plane.js";
import type { Answer, Created, TestControlPlane } from "../../support/control-plane.js";
import { issuersOf } from "../../support/issuers.js";
import { sessionAt } from "../../support/sessions.js";

/** What every other route of /v1 takes is an operator's token. */
const SCOPE_OF: Readonly<Record<string, Scope>> = {
  "POST /v1/sessions": "issue",
  "GET /v1/sessions": "read",
  "GET /v1/sessions/{id}": "read",
  "GET /v1/sessions/{id}/bucket": "read",
  "GET /v1/sessions/{id}/usage": "read",
  "DELETE /v1/sessions/{id}": "revoke",
};
const OF_A_SESSION = Object.keys(SCOPE_OF).filter((route) => route.includes("{id}"));
const MISSING = "019b76da-a800-7000-8000-000000000000";
const FIELDS = { userId: "u1", orgId: "o1" };

const tokenOf = (name: string): string => `the-token-of-${name}`;
const plane = (): Promise<TestControlPlane> =>
  startTestControlPlane(undefined, {
    issuers: issuersOf(
      ...SCOPES.map((scope) => ({ name: "login", token: tokenOf(scope), scopes: [scope] })),
      { name: "login", token: tokenOf("login") },
      { name: "app", token: tokenOf("app") },
      { name: "acme", token: tokenOf("acme"), orgId: "o1" },
    ),
  });

const issued = async (at: TestControlPlane, token: string, fields: object = FIELDS): Promise<string> => {
  const answer = await at.call("POST", "/v1/sessions", fields, token);
  expect(answer.status, answer.text).toBe(201);
  return (answer.body as Created).session.id;
};
const called = (at: TestControlPlane, route: string, id: string, token: string, query = ""): Promise<Answer> => {
  const [method = "", path = ""] = route.split(" ");
  const body = method === "POST" ? FIELDS : undefined;
  return at.call(method, path.replace("{id}", id) + query, body, token, { "x-request-id": "the-same" });
};
const idsIn = ({ body }: Answer): string[] => (body as { sessions: { id: string }[] }).sessions.map(({ id }) => id);

/** Every route of /v1, as the OpenAPI document has them. */
async function routesOf(at: TestControlPlane): Promise<string[]> {
  const { paths } = (await at.call("GET", "/openapi.json")).body as { paths: Record<string, object> };
  const ours = Object.entries(paths).filter(([path]) => path.startsWith("/v1/"));
  return ours.flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`));
}

describe("the scopes of an issuer's token", () => {
  it.each<readonly Scope[]>([["issue"], ["read"], ["revoke"]])(
    "a token with the scope %s gets 403 wherever it takes another, and the scope is named",
    async (scope) => {
      const at = await plane();
      for (const route of await routesOf(at)) {
        const answer = await called(at, route, MISSING, tokenOf(scope));
        const wanted = SCOPE_OF[route];
        if (wanted === scope) expect(answer.status, route).not.toBe(403);
        else {
          const message = expectError(answer, "FORBIDDEN");
          expect(message, route).toContain(wanted === undefined ? "an operator's token" : `the scope ${wanted}`);
        }
      }
    },
  );

  it("a token with every scope gets 403 for what operators alone may do, before the body is read", async () => {
    const at = await plane();
    const id = await issued(at, tokenOf("login"));
    const before = await shown(at, id);
    const operators = (await routesOf(at)).filter((route) => SCOPE_OF[route] === undefined);
    expect(operators).toEqual(
      expect.arrayContaining(["PATCH /v1/sessions/{id}", "DELETE /v1/sessions", "GET /v1/edges"]),
    );
    for (const route of operators) {
      const [method = "", path = ""] = route.split(" ");
      const body = method === "GET" ? undefined : "not json";
      expectError(await at.call(method, path.replace("{id}", id), body, tokenOf("login")), "FORBIDDEN");
    }
    expect(await shown(at, id)).toEqual(before);
  });

  it("the token of SLUICE_ISSUER_TOKEN is an issuer of the name issuer with every scope", async () => {
    const at = await plane();
    const id = await issued(at, ISSUER_TOKEN);
    expect(await shown(at, id)).toMatchObject({ issuer: "issuer" });
    for (const route of OF_A_SESSION)
      expect((await called(at, route, id, ISSUER_TOKEN)).status, route).toBeLessThan(300);
    expect(await shown(at, id)).toMatchObject({ state: "revoked" });
  });
});

describe("sessions of an issuer and of others", () => {
  it.each(OF_A_SESSION)("%s: a session of another is answered exactly as one that there is not", async (route) => {
    const at = await plane();
    const before = sessionAt(at.clock.nowMs());
    await at.store.create(before);
    const foreign = {
      another: await issued(at, tokenOf("app")),
      environment: await issued(at, ISSUER_TOKEN),
      operator: await issued(at, ADMIN_TOKEN),
      earlierVersion: before.id,
    };
    const own = await issued(at, tokenOf("login"));
    const shownAs = async (id: string) => {
      const { status, text, headers } = await called(at, route, id, tokenOf("login"));
      return { status, text, names: [...headers.keys()].sort() };
    };
    const missing = await shownAs(MISSING);
    expect(missing).toMatchObject({ status: 404 });
    for (const [whose, id] of Object.entries(foreign)) {
      expect(await shownAs(id), whose).toEqual(missing);
      expect((await shown(at, id)).state, whose).toBe("live");
    }
    expect((await called(at, route, own, tokenOf("login"))).status).toBeLessThan(300);
    // Every token of that name, and operators.
    expect((await called(at, route, own, tokenOf(SCOPE_OF[route] ?? ""))).status).toBeLessThan(300);
    for (const id of [own, ...Object.values(foreign)]) {
      expect((await called(at, route, id, ADMIN_TOKEN)).status).toBeLessThan(300);
    }
  });

  it("a revocation of another's session that asks to wait is answered as one that there is not", async () => {
    const at = await plane();
    const foreign = await issued(at, tokenOf("app"));
    const waited = (id: string) => called(at, "DELETE /v1/sessions/{id}", id, tokenOf("login"), "?wait=1s");
    const [other, none] = [await waited(foreign), await waited(MISSING)];
    expect([other.status, other.text]).toEqual([404, none.text]);
  });

  it("an issuer lists its own sessions only, whatever it filters by", async () => {
    const at = await plane();
    const own = [await issued(at, tokenOf("login")), await issued(at, tokenOf("login"), { ...FIELDS, userId: "u2" })];
    for (const token of [tokenOf("app"), ISSUER_TOKEN, ADMIN_TOKEN]) await issued(at, token);
    const list = async (query: string, token = tokenOf("login")) =>
      idsIn(await at.call("GET", `/v1/sessions${query}`, undefined, token)).sort();
    for (const query of ["", "?orgId=o1", "?state=live", "?plan=starter&state=live", "?issuer=login"]) {
      expect(await list(query), query).toEqual([...own].sort());
    }
    expect(await list("?userId=u2")).toEqual([own[1]]);
    expect([await list("?issuer=app"), await list("?issuer=issuer")]).toEqual([[], []]);
    expect(await list("?issuer=login", ADMIN_TOKEN)).toEqual([...own].sort());
    expect(await list("?issuer=login&userId=u2", ADMIN_TOKEN)).toEqual([own[1]]);
    expect(await list("", ADMIN_TOKEN)).toHaveLength(5);
  });

  it("an issuer's pages are as long as its sessions make them, however many others there are", async () => {
    const at = await plane();
    const own: string[] = [];
    for (let i = 0; i < 3; i++) {
      own.unshift(await issued(at, tokenOf("login")));
      for (let other = 0; other < 5; other++) await issued(at, tokenOf("app"));
      at.clock.advance(10);
    }
    const pages: string[][] = [];
    let cursor = "";
    for (let next: string | null = ""; next !== null;) {
      const answer = await at.call("GET", `/v1/sessions?limit=1${cursor}`, undefined, tokenOf("login"));
      pages.push(idsIn(answer));
      next = (answer.body as { cursor: string | null }).cursor;
      cursor = `&cursor=${next}`;
    }
    expect(pages).toEqual([...own.map((id) => [id]), []]);
  });

  it("no page of an issuer has another's session looked at, whatever it filters by", async () => {
    const at = await plane();
    const own = await issued(at, tokenOf("login"));
    for (const token of [tokenOf("app"), ADMIN_TOKEN]) await issued(at, token);
    const looks = vi.spyOn(at.ports.operator, "sessionsBefore");
    for (const query of ["", "?userId=u1", "?orgId=o1", "?plan=starter&state=live", "?issuer=app", "?state=revoked"]) {
      await at.call("GET", `/v1/sessions${query}`, undefined, tokenOf("login"));
    }
    const seen = await Promise.all(looks.mock.results.map(({ value }) => value as Promise<{ id: string }[]>));
    expect(new Set(seen.flat().map(({ id }) => id))).toEqual(new Set([own]));
  });

  it("a cursor of another issuer leads to sessions of the one who asks, and to none of the other", async () => {
    const at = await plane();
    const own = await issued(at, tokenOf("login"));
    at.clock.advance(10);
    for (let i = 0; i < 3; i++) await issued(at, tokenOf("app"));
    const page = await at.call("GET", "/v1/sessions?limit=1", undefined, tokenOf("app"));
    const { cursor } = page.body as { cursor: string };
    expect(idsIn(await at.call("GET", `/v1/sessions?cursor=${cursor}`, undefined, tokenOf("login")))).toEqual([own]);
  });
});

describe("an issuer of one organisation", () => {
  it("an issuer of one organisation gets 403 for a session of another one", async () => {
    const at = await plane();
    await issued(at, tokenOf("acme"));
    const denied = await at.call("POST", "/v1/sessions", { userId: "u1", orgId: "o2" }, tokenOf("acme"));
    expect(expectError(denied, "FORBIDDEN", "orgId")).not.toContain("o1");
  });

  it("an issuer that got an organisation sees no session that its name has issued for others", async () => {
    const all = issuersOf({ name: "acme", token: tokenOf("all") }, { name: "acme", token: tokenOf("o2"), orgId: "o2" });
    const at = await startTestControlPlane(undefined, { issuers: all });
    const [one, other] = [
      await issued(at, tokenOf("all")),
      await issued(at, tokenOf("all"), { ...FIELDS, orgId: "o2" }),
    ];
    for (const route of OF_A_SESSION) {
      expectError(await called(at, route, one, tokenOf("o2")), "SESSION_NOT_FOUND");
      expect((await called(at, route, other, tokenOf("o2"))).status).toBeLessThan(300);
    }
    expect(idsIn(await at.call("GET", "/v1/sessions", undefined, tokenOf("o2")))).toEqual([other]);
    expect(await shown(at, one)).toMatchObject({ state: "live" });
  });
});

describe("who issued a session and who acted", () => {
  it("a session says who issued it, and one of an earlier version that nobody knows", async () => {
    const at = await plane();
    const { session } = await created(at);
    expect(session.issuer).toMatch(/^operator:[0-9a-f]{8}$/);
    expect(await shown(at, await issued(at, tokenOf("app")))).toMatchObject({ issuer: "app" });
    const before = sessionAt(at.clock.nowMs());
    await at.store.create(before);
    expect(await shown(at, before.id)).toMatchObject({ issuer: null });
  });

  it("the audit log names the issuer that revoked, which of its tokens, and who had issued", async () => {
    const at = await plane();
    const [own, foreign] = [await issued(at, tokenOf("login")), await issued(at, tokenOf("app"))];
    await called(at, "DELETE /v1/sessions/{id}", own, tokenOf("revoke"));
    await called(at, "DELETE /v1/sessions/{id}", foreign, ADMIN_TOKEN);
    const { entries } = (await at.call("GET", "/v1/audit")).body as { entries: object[] };
    expect(entries).toMatchObject([
      {
        sessionId: foreign,
        actor: expect.stringMatching(/^operator:[0-9a-f]{8}$/) as string,
        details: { issuer: "app" },
      },
      {
        sessionId: own,
        actor: expect.stringMatching(/^issuer:login:[0-9a-f]{8}$/) as string,
        details: { issuer: "login" },
      },
    ]);
    expect(at.logged()).toMatch(/"event":"session-created",[^\n]*"issuer":"login"/);
  });
});

describe("an issuer beside others", () => {
  it("an issuer above its rate gets 429, and no other one and no operator does", async () => {
    const at = await startTestControlPlane(undefined, {
      apiRate: { perSecond: 1, burst: 4 },
      issuers: issuersOf({ name: "login", token: tokenOf("login") }, { name: "app", token: tokenOf("app") }),
    });
    let from = 1;
    const status = async (token: string): Promise<number> => {
      const headers = { authorization: `Bearer ${token}` };
      // Each from another address, whose own rate is not what counts here.
      const remoteAddress = `192.0.2.${from++}`;
      return (await at.app.inject({ method: "GET", url: "/v1/sessions", headers, remoteAddress })).statusCode;
    };
    const five = async (token: string) => [
      ...new Set([...(await Promise.all([1, 2, 3, 4, 5].map(() => status(token))))]),
    ];
    expect(await five(tokenOf("login"))).toEqual([200, 429]);
    expect([await status(tokenOf("app")), await status(ADMIN_TOKEN), await status(ISSUER_TOKEN)]).toEqual([
      200, 200, 200,
    ]);
  });

  it("two issuers that use one Idempotency-Key get a session each, and no 422", async () => {
    const at = await plane();
    const key = { "idempotency-key": "k-1" };
    const create = async (token: string, fields: object) =>
      (await at.call("POST", "/v1/sessions", fields, token, key)).status;
    expect(await create(tokenOf("login"), FIELDS)).toBe(201);
    expect(await create(tokenOf("app"), { ...FIELDS, userId: "u2" })).toBe(201);
    expect(await create(tokenOf("issue"), { ...FIELDS, userId: "u2" })).toBe(422);
    expect(at.logged().match(/"event":"session-created"/g)).toHaveLength(2);
  });
});
