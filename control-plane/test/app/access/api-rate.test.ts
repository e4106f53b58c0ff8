// The rate of the REST API: bounded for each address and for each kind of token.
import { describe, expect, it } from "vitest";

import { networkOf } from "../../../src/app/access/network.js";
import { RequestRates } from "../../../src/app/access/request-rates.js";
import { ADMIN_TOKEN, created, expectError, ISSUER_TOKEN, startTestControlPlane } from "../../support/control-plane.js";
import type { TestControlPlane } from "../../support/control-plane.js";
import { FixedClock } from "../../support/fixed-clock.js";

const RATE = { perSecond: 2, burst: 4 };

describe("an address that calls the API too often", () => {
  it("an address above its rate gets 429 with the seconds to wait, and 200 after them", async () => {
    const plane = await startTestControlPlane(undefined, { apiRate: RATE });
    for (let i = 0; i < 4; i++) await created(plane);
    const denied = await plane.call("GET", "/v1/sessions");
    expectError(denied, "TOO_MANY_REQUESTS");
    expect(denied.headers.get("retry-after")).toBe("1");
    plane.clock.advance(500);
    expect((await plane.call("GET", "/v1/sessions")).status).toBe(200);
    expectError(await plane.call("GET", "/v1/sessions"), "TOO_MANY_REQUESTS");
  });

  it("an address above its rate gets 429 also while it guesses at tokens", async () => {
    const plane = await startTestControlPlane(undefined, { apiRate: RATE });
    for (let i = 0; i < 4; i++) expectError(await plane.call("GET", "/v1/sessions", undefined, "x"), "UNAUTHORIZED");
    expectError(await plane.call("GET", "/v1/sessions", undefined, "x"), "TOO_MANY_REQUESTS");
  });

  it("an address above its rate still reaches the edges' routes and the status listener", async () => {
    const plane = await startTestControlPlane(undefined, { apiRate: RATE });
    const { session } = await created(plane);
    for (let i = 0; i < 4; i++) await plane.call("GET", "/v1/sessions");
    expectError(await plane.call("GET", "/v1/sessions"), "TOO_MANY_REQUESTS");
    for (let i = 0; i < 10; i++) expect((await plane.acquire(session.id)).status).toBe(200);
    for (const path of ["/healthz", "/readyz", "/metrics"]) expect((await plane.status(path)).status).toBe(200);
  });
});

describe("an address as the API rate counts it", () => {
  const from = async (remoteAddress: string, plane: TestControlPlane): Promise<number> => {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}x` };
    return (await plane.app.inject({ method: "GET", url: "/v1/sessions", headers, remoteAddress })).statusCode;
  };

  it("an IPv6 caller that changes its address within its /64 is held to one rate", async () => {
    const plane = await startTestControlPlane(undefined, { apiRate: { perSecond: 1, burst: 3 } });
    const statuses: number[] = [];
    for (let i = 0; i < 5; i++) statuses.push(await from(`2001:db8:0:7:${i}:${i}:${i}:${i}`, plane));
    expect(statuses).toEqual([401, 401, 401, 429, 429]);
    expect(await from("2001:db8:0:8::1", plane)).toBe(401);
  });

  it("an IPv4 caller has one rate, whether the listener is of IPv4 or of both", async () => {
    const plane = await startTestControlPlane(undefined, { apiRate: { perSecond: 1, burst: 2 } });
    expect([await from("192.0.2.1", plane), await from("::ffff:192.0.2.1", plane)]).toEqual([401, 401]);
    expect([await from("::ffff:c000:201", plane), await from("::ffff:192.0.2.2", plane)]).toEqual([429, 401]);
  });

  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::1", "::/64"],
    ["2001:db8:0:1:2:3:4:5", "2001:db8:0:1::/64"],
    ["fe80::1%eth0", "fe80::/64"],
    ["", ""],
  ])("the address %j counts as %j", (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});

describe("the rate of a kind of token", () => {
  it("a kind of token has a rate of its own, which guesses and denials do not use up", async () => {
    const taken: string[] = [];
    const plane = await startTestControlPlane(undefined, { apiRate: { perSecond: 1, burst: 100 } });
    for (let i = 0; i < 20; i++) {
      taken.push(String((await plane.call("GET", "/v1/audit", undefined, ISSUER_TOKEN)).status));
      taken.push(String((await plane.call("GET", "/v1/audit", undefined, "x")).status));
    }
    expect(new Set(taken)).toEqual(new Set(["403", "401"]));
    // 40 of the address's 100 are gone; both kinds are untouched.
    for (let i = 0; i < 60; i++) expect((await plane.call("GET", "/v1/sessions")).status).toBe(200);
    expectError(await plane.call("GET", "/v1/sessions"), "TOO_MANY_REQUESTS");
  });
});

describe("the rates", () => {
  it("a caller at exactly its rate is never denied, and a burst is never exceeded", () => {
    const clock = new FixedClock();
    const rates = new RequestRates(clock, RATE);
    const burst = (): number => [...Array(10).keys()].filter(() => rates.take("a") === 0).length;
    expect(burst()).toBe(4);
    for (let i = 0; i < 1000; i++) {
      clock.advance(500);
      expect(rates.take("a")).toBe(0);
    }
    clock.advance(3_600_000);
    expect(burst()).toBe(4);
  });

  it("a denied caller learns how long to wait, and its call costs no tokens of its rate", () => {
    const clock = new FixedClock();
    const rates = new RequestRates(clock, RATE);
    for (let i = 0; i < 4; i++) rates.take("a");
    expect([rates.take("a"), rates.take("a")]).toEqual([500, 500]);
    clock.advance(499);
    expect(rates.take("a")).toBe(1);
    clock.advance(1);
    expect(rates.take("a")).toBe(0);
  });

  it("the callers that are remembered are bounded, and the longest silent one is forgotten", () => {
    const rates = new RequestRates(new FixedClock(), { perSecond: 1, burst: 1 });
    rates.take("first");
    expect(rates.take("first")).toBeGreaterThan(0);
    for (let i = 0; i < 9999; i++) rates.take(`${i}`);
    expect(rates.take("first")).toBeGreaterThan(0);
    rates.take("one more");
    expect(rates.take("first")).toBe(0);
  });
});
