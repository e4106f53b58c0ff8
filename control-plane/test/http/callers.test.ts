// Callers behind proxies: from real sockets of the loopback network, of which one address is a trusted proxy's.
import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { describe, expect, it, vi } from "vitest";

import { networkFrom } from "../../src/app/access/trusted-proxies.js";
import type { HttpServerOptions } from "../../src/http/server.js";
import { ADMIN_TOKEN, INSTANCE, KEYS, startTestControlPlane } from "../support/control-plane.js";
import type { TestControlPlane } from "../support/control-plane.js";

const PROXY = "127.0.0.2";
const STRANGER = "127.0.0.3";
const BODY = { userId: "u1", orgId: "o1" };

const started = (changes: Partial<HttpServerOptions> = {}): Promise<TestControlPlane> =>
  startTestControlPlane(undefined, {
    trustedProxies: [PROXY, "10.0.0.0/8"].flatMap((one) => networkFrom(one) ?? []),
    ...changes,
  });

interface Call {
  readonly from: string;
  /** One header line each. */
  readonly forwardedFor?: string | string[] | undefined;
  readonly method?: string;
  readonly path?: string;
  readonly token?: string;
  readonly body?: object;
  readonly key?: string;
}

/** Over a connection of its own. */
async function call({ url }: TestControlPlane, { from, forwardedFor, body, key, ...asked }: Call) {
  const { method = "GET", path = "/v1/sessions", token = ADMIN_TOKEN } = asked;
  const sent = body === undefined ? "" : JSON.stringify(body);
  const headers = {
    authorization: `Bearer ${token}`,
    ...(sent === "" ? {} : { "content-type": "application/json", "content-length": sent.length }),
    ...(forwardedFor === undefined ? {} : { "x-forwarded-for": forwardedFor }),
    ...(key === undefined ? {} : { "idempotency-key": key }),
  };
  const outgoing = request(url + path, { method, headers, localAddress: from, agent: false }).end(sent);
  const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
  return { status: answer.statusCode ?? 0, text: await text(answer) };
}

describe("the API's rate of callers behind a proxy", () => {
  const RATE = { apiRate: { perSecond: 1, burst: 2 } };
  const guess = async (plane: TestControlPlane, from: string, forwardedFor?: Call["forwardedFor"]): Promise<number> =>
    (await call(plane, { from, forwardedFor, token: "guessed" })).status;

  it("callers behind a trusted proxy have a rate each, and the proxy its own", async () => {
    const plane = await started(RATE);
    const [one, other] = ["198.51.100.1", "2001:db9::1"];
    for (const expected of [401, 401, 429]) {
      expect(await guess(plane, PROXY, one)).toBe(expected);
      expect(await guess(plane, PROXY, other)).toBe(expected);
      expect(await guess(plane, PROXY)).toBe(expected);
    }
    // Directly, or by another way, it is the same caller.
    expect(await guess(plane, PROXY, [`${one}:4711`, "10.0.0.7"])).toBe(429);
    expect(await guess(plane, PROXY, "2001:db9::2")).toBe(429);
  });

  it("a caller behind a trusted proxy gets no other rate by what it writes itself", async () => {
    const plane = await started(RATE);
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) statuses.push(await guess(plane, PROXY, [`203.0.113.${i}`, "198.51.100.1"]));
    expect(statuses).toEqual([401, 401, 429, 429]);
  });

  it("a caller that is no trusted proxy has one rate, whatever X-Forwarded-For it sends", async () => {
    const plane = await started(RATE);
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) statuses.push(await guess(plane, STRANGER, `203.0.113.${i}`));
    expect(statuses).toEqual([401, 401, 429, 429]);
    expect(await guess(plane, PROXY, "203.0.113.1")).toBe(401);
  });

  it("an X-Forwarded-For counts for nothing where no proxies are trusted", async () => {
    const plane = await started({ ...RATE, trustedProxies: [] });
    for (const expected of [401, 401, 429]) expect(await guess(plane, PROXY, `203.0.113.${expected}`)).toBe(expected);
  });

  it("what a proxy names that is no address counts as the proxy's own call", async () => {
    const plane = await started(RATE);
    const statuses: number[] = [];
    for (const named of ["unknown", "_a", "x".repeat(8000), "9".repeat(8000)]) {
      statuses.push(await guess(plane, PROXY, named));
    }
    expect(statuses).toEqual([401, 401, 429, 429]);
  });

  it("callers behind a proxy are remembered in no greater number than any", async () => {
    const plane = await started({ apiRate: { perSecond: 1, burst: 1 } });
    const statusOf = async (caller: string): Promise<number> => {
      const headers = { authorization: "Bearer guessed", "x-forwarded-for": caller };
      return (await plane.app.inject({ url: "/v1/sessions", headers, remoteAddress: PROXY })).statusCode;
    };
    const nth = (i: number): string => `11.0.${i >> 8}.${i & 255}`;
    for (let i = 0; i < 10_000; i++) expect(await statusOf(nth(i))).toBe(401);
    expect(await statusOf(nth(0))).toBe(429);
    expect(await statusOf("11.1.0.0")).toBe(401);
    expect(await statusOf(nth(0))).toBe(401);
  }, 300_000);
});

describe("a session's ip", () => {
  async function ipOf(plane: TestControlPlane, how: Omit<Call, "method">): Promise<string | null> {
    const answer = await call(plane, { method: "POST", body: BODY, ...how });
    expect(answer.status, answer.text).toBe(201);
    return (JSON.parse(answer.text) as { session: { metadata: { ip: string | null } } }).session.metadata.ip;
  }

  it("a session has the caller's ip that a trusted proxy names, where its request gives none", async () => {
    const plane = await started();
    expect(await ipOf(plane, { from: PROXY, forwardedFor: "203.0.113.9, ::ffff:198.51.100.1" })).toBe("198.51.100.1");
    expect(await ipOf(plane, { from: PROXY, forwardedFor: "[2001:DB9:0::1]:80" })).toBe("2001:db9::1");
    const given = { ...BODY, metadata: { ip: "192.0.2.1" } };
    expect(await ipOf(plane, { from: PROXY, forwardedFor: "198.51.100.1", body: given })).toBe("192.0.2.1");
  });

  it("a session has no ip that nobody gave or a trusted proxy named", async () => {
    const plane = await started();
    expect(await ipOf(plane, { from: PROXY })).toBeNull();
    expect(await ipOf(plane, { from: PROXY, forwardedFor: "unknown" })).toBeNull();
    expect(await ipOf(plane, { from: STRANGER, forwardedFor: "198.51.100.1" })).toBeNull();
  });

  it("a creation that is repeated from another address is the same request", async () => {
    const plane = await started();
    const first = await ipOf(plane, { from: PROXY, forwardedFor: "198.51.100.1", key: "k" });
    const again = await ipOf(plane, { from: PROXY, forwardedFor: "198.51.100.2", key: "k" });
    const directly = await ipOf(plane, { from: STRANGER, key: "k" });
    expect([first, again, directly]).toEqual(Array(3).fill("198.51.100.1"));
  });
});

it("an edge that is denied behind a trusted proxy is shown and logged by its own address", async () => {
  const plane = await started();
  const watch = { method: "POST", path: "/edge/v1/watch", token: "wrong", body: {} };
  for (const from of [PROXY, STRANGER]) await call(plane, { ...watch, from, forwardedFor: "198.51.100.1" });
  const { body } = await plane.call("GET", "/v1/edges");
  const { unauthenticated } = body as { unauthenticated: { address: string }[] };
  expect(unauthenticated.map(({ address }) => address)).toEqual([STRANGER, "198.51.100.1"]);
  expect(plane.logged()).toMatch(/"event":"edge-unauthenticated","claimedEdge":"","address":"198\.51\.100\.1"/);
});

it("an edge behind a trusted proxy watches from its own address", async () => {
  const plane = await started();
  const from = vi.spyOn(plane.watches, "watch").mockResolvedValue({ outcome: "tooMany" } as never);
  const body = { edge: "gw-1", instance: INSTANCE, since: 0 };
  const watch = { method: "POST", path: "/edge/v1/watch", token: KEYS.edgeCredential, body };
  for (const peer of [PROXY, STRANGER])
    await call(plane, { ...watch, from: peer, forwardedFor: "::ffff:198.51.100.1" });
  expect(from.mock.calls.map(([{ address }]) => address)).toEqual(["198.51.100.1", STRANGER]);
});
