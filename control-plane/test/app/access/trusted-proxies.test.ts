// X-Forwarded-For: whose counts, how it is read, and what it changes.
import { BlockList, isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { networkFrom, TrustedProxies } from "../../../src/app/access/trusted-proxies.js";

const trusting = (...entries: string[]): TrustedProxies =>
  new TrustedProxies(entries.flatMap((entry) => networkFrom(entry) ?? []));

const PROXIES = ["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"];

describe("a network of trusted proxies", () => {
  it.each([
    ["10.0.0.0/8", "10.255.0.1", true],
    ["10.0.0.0/8", "11.0.0.1", false],
    ["10.0.0.0/8", "::ffff:10.1.2.3", true],
    ["::ffff:10.0.0.0/104", "10.1.2.3", true],
    ["192.0.2.7", "192.0.2.7", true],
    ["192.0.2.7", "192.0.2.8", false],
    ["2001:db8::/32", "2001:DB8:1::1", true],
    ["2001:db8::/32", "2001:db9::1", false],
    ["::1", "::1", true],
    ["::/1", "10.0.0.1", false],
    ["fe80::/10", "fe80::1%eth0", true],
  ])("proxies of %s: %s is one: %s", (entry, peer, isOne) => {
    expect(trusting(entry).callerBehind(peer, "198.51.100.1") !== undefined).toBe(isOne);
  });
});

describe("the caller behind trusted proxies", () => {
  const read = (peer: string, header: string): string | undefined => trusting(...PROXIES).callerBehind(peer, header);

  it.each([
    ["one proxy", "198.51.100.1", "198.51.100.1"],
    ["a chain of them", "198.51.100.1, 10.0.0.2, 192.0.2.7", "198.51.100.1"],
    ["a caller that made up more", "1.1.1.1, 10.0.0.9, 198.51.100.1, 10.0.0.2", "198.51.100.1"],
    ["trusted ones only, the first of them", "10.0.0.3, 10.0.0.2", "10.0.0.3"],
    ["spaces and tabs", " \t198.51.100.1\t ,10.0.0.2 ", "198.51.100.1"],
    ["empty elements", ",198.51.100.1,, ,10.0.0.2,", "198.51.100.1"],
    ["ports", "198.51.100.1:4711, 10.0.0.2:80", "198.51.100.1"],
    ["IPv6", "2001:DB9:0:0::1", "2001:db9::1"],
    ["IPv6 in brackets", "[2001:db9::1]", "2001:db9::1"],
    ["IPv6 with a port", "[2001:db9::1]:443, [2001:db8::5]:80", "2001:db9::1"],
    ["IPv4 mapped to IPv6", "::ffff:198.51.100.1", "198.51.100.1"],
    ["IPv4 mapped to IPv6, of a proxy", "198.51.100.1, ::ffff:10.0.0.2", "198.51.100.1"],
    ["a word before the proxy that wrote it", "unknown, 10.0.0.2", "10.0.0.2"],
    ["a word before the caller", "unknown, 198.51.100.1", "198.51.100.1"],
  ])("the caller is read through %s", (_what, header, caller) => {
    expect(read("10.0.0.1", header)).toBe(caller);
  });

  it.each([
    ["nothing", ""],
    ["commas", ", ,"],
    ["unknown", "198.51.100.1, unknown"],
    ["a name that hides", "198.51.100.1, _hidden"],
    ["a host name", "198.51.100.1, example.org"],
    ["a number", "1"],
    ["too few parts", "10.1"],
    ["hexadecimal parts", "0x0a.0.0.1"],
    ["leading zeros", "010.0.0.2"],
    ["a zone", "fe80::1%eth0"],
    ["a port without an address", ":80"],
    ["a port that is none", "198.51.100.1:http"],
    ["a port too many", "198.51.100.1:1:2"],
    ["brackets around IPv4 that do not close", "[198.51.100.1"],
    ["a quoted address", '"198.51.100.1"'],
    ["a network", "198.51.100.0/24"],
  ])("a proxy that names %s names nobody", (_what, header) => {
    expect(read("10.0.0.1", header)).toBeUndefined();
  });

  it("a header from anybody else names nobody", () => {
    for (const peer of ["198.51.100.9", "::1", "", "not an address"]) {
      expect(read(peer, "203.0.113.1, 10.0.0.2")).toBeUndefined();
    }
  });

  it("no more than 32 proxies are followed", () => {
    const chain = (length: number): string =>
      ["198.51.100.1", ...Array.from({ length }, (_, i) => `10.0.0.${i + 1}`)].join(", ");
    expect(read("10.1.0.1", chain(31))).toBe("198.51.100.1");
    expect(read("10.1.0.1", chain(32))).toBe("10.0.0.1");
    expect(read("10.1.0.1", chain(40))).toBe("10.0.0.9");
  });
});

describe("any X-Forwarded-For", () => {
  const proxies = trusting(...PROXIES);
  const address = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.ipV4().map((one) => `::ffff:${one}`),
    fc.nat(255).map((n) => `10.0.0.${n}`),
    fc.constant("2001:db8::1"),
  );
  const garbage = fc.string({ maxLength: 200, unit: "binary" });
  const header = fc.array(fc.oneof(address, garbage), { maxLength: 8 }).map((entries) => entries.join(","));
  const model = new BlockList();
  model.addSubnet("10.0.0.0", 8, "ipv4");
  model.addSubnet("2001:db8::", 32, "ipv6");
  model.addAddress("192.0.2.7", "ipv4");
  const isProxy = (one: string): boolean => model.check(one, isIP(one) === 4 ? "ipv4" : "ipv6");

  it("any header gives an address of bounded length or none, and never fails", () => {
    fc.assert(
      fc.property(address, fc.oneof(header, garbage), (peer, given) => {
        const caller = proxies.callerBehind(peer, given);
        expect(caller === undefined || (isIP(caller) !== 0 && caller.length <= 45)).toBe(true);
        if (!isProxy(peer)) expect(caller).toBeUndefined();
      }),
    );
  });

  it("whatever a caller writes, its proxy's entry is what counts", () => {
    fc.assert(
      fc.property(header, address, fc.array(fc.nat(255), { maxLength: 5 }), (madeUp, caller, chain) => {
        fc.pre(!isProxy(caller));
        const seen = [caller, ...chain.map((n) => `10.0.0.${n}`)].join(", ");
        expect(proxies.callerBehind("10.0.0.1", `${madeUp},${seen}`)).toBe(proxies.callerBehind("10.0.0.1", caller));
      }),
    );
  });

  it("an independent reading finds the same caller", () => {
    fc.assert(
      fc.property(fc.array(address, { minLength: 1, maxLength: 8 }), (entries) => {
        const caller = proxies.callerBehind("10.0.0.1", entries.join(", "));
        const expected = entries.findLast((one) => !isProxy(one)) ?? entries[0] ?? "";
        expect(caller).toBe(trusting("10.0.0.1").callerBehind("10.0.0.1", expected));
      }),
    );
  });
});
