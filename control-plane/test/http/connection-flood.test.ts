// A flood of connections within a moment, over sockets that are none: who gives way, by network.
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";

import { Connections } from "../../src/http/connection-bounds.js";
import { FixedClock } from "../support/fixed-clock.js";

const BOUNDS = { total: 10_000, unauthenticated: 2000, perAddress: 200 };
const FLOODER = "192.0.2.1";

class FakeSocket extends EventEmitter {
  destroyed = false;

  constructor(
    readonly remoteAddress: string,
    readonly remotePort: number,
  ) {
    super();
  }

  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }
}

class Plane {
  readonly clock = new FixedClock();
  readonly connections: Connections;
  private readonly server = new EventEmitter();
  private port = 0;

  constructor(bounds = BOUNDS) {
    const logger = { debug() {}, info() {}, warn() {}, error() {} };
    this.connections = new Connections({
      listener: "api",
      bounds,
      clock: this.clock,
      logger,
      dropped: () => undefined,
    });
    this.connections.follow({ server: this.server } as unknown as Parameters<Connections["follow"]>[0]);
  }

  open(address: string): FakeSocket {
    const socket = new FakeSocket(address, ++this.port);
    this.server.emit("connection", socket);
    return socket;
  }

  openMany(address: string, count: number): FakeSocket[] {
    return Array.from({ length: count }, () => this.open(address));
  }

  showsCredential(socket: FakeSocket): void {
    this.connections.authenticated(socket as unknown as Socket);
  }
}

const openOf = (sockets: readonly FakeSocket[]): number => sockets.filter(({ destroyed }) => !destroyed).length;

describe("a flood from one network within a moment", () => {
  it("a flood closes no connection of another network that has not shown its credential yet", () => {
    const plane = new Plane();
    const before = plane.open(FLOODER);
    const envoy = plane.open("192.0.2.2");
    const flood = plane.openMany(FLOODER, 2000);
    const late = plane.open("192.0.2.3");
    plane.openMany(FLOODER, 2000);
    expect([envoy.destroyed, late.destroyed, before.destroyed, openOf(flood)]).toEqual([false, false, true, 0]);
    expect(plane.connections.counts().unauthenticated).toBe(BOUNDS.unauthenticated);
  });

  it("a flood leaves hundreds that connect at once behind one balancer their connections", () => {
    const plane = new Plane();
    plane.openMany(FLOODER, 2000);
    const envoys = plane.openMany("192.0.2.2", 800);
    plane.openMany(FLOODER, 2000);
    expect(openOf(envoys)).toBe(800);
  });

  it("a new connection gets room by the network with the most, not by its own", () => {
    const plane = new Plane();
    const few = plane.openMany("192.0.2.2", 300);
    plane.openMany(FLOODER, 1700);
    few.push(...plane.openMany("192.0.2.2", 100));
    expect(openOf(few)).toBe(400);
  });
});

describe("connections on which a credential was shown", () => {
  const accepted = (plane: Plane, address: string, count: number): FakeSocket[] =>
    Array.from({ length: count }, () => {
      const socket = plane.open(address);
      plane.showsCredential(socket);
      return socket;
    });

  it("one network with as many accepted connections as there may be keeps out nobody else", () => {
    const plane = new Plane();
    accepted(plane, FLOODER, BOUNDS.total);
    const late = plane.open("192.0.2.2");
    for (let i = 0; i < BOUNDS.perAddress * 3; i++) {
      plane.open(FLOODER);
      accepted(plane, FLOODER, 1);
    }
    plane.showsCredential(late);
    const envoys = [late, ...accepted(plane, "192.0.2.3", 300)];
    accepted(plane, FLOODER, 1000);
    expect(openOf(envoys)).toBe(301);
    const { authenticated, unauthenticated } = plane.connections.counts();
    expect(authenticated + unauthenticated).toBeLessThanOrEqual(BOUNDS.total);
  });

  it("accepted connections are not closed by any that come without a credential", () => {
    const plane = new Plane();
    const envoys = accepted(plane, "192.0.2.2", 9500);
    plane.openMany(FLOODER, 3000);
    expect([openOf(envoys), plane.connections.counts().unauthenticated]).toEqual([9500, 500]);
  });

  it("the oldest of all gives way where no network has as many as one may have", () => {
    const plane = new Plane({ total: 4, unauthenticated: 4, perAddress: 2 });
    const those = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"].flatMap((address) =>
      accepted(plane, address, 1),
    );
    expect(those.map(({ destroyed }) => destroyed)).toEqual([true, false, false, false]);
  });

  it("one address keeps nobody out where it may have more than there is room for", () => {
    const plane = new Plane({ total: 100, unauthenticated: 100, perAddress: 100 });
    accepted(plane, FLOODER, 100);
    const late = plane.open("192.0.2.2");
    plane.openMany(FLOODER, 50);
    plane.showsCredential(late);
    accepted(plane, FLOODER, 100);
    expect(late.destroyed).toBe(false);
  });
});

describe("a flood from everywhere within a moment", () => {
  it("a flood from everywhere closes the oldest of all while no network has its full share", () => {
    const plane = new Plane();
    const behindBalancer = plane.openMany("192.0.2.1", 199);
    const scattered = Array.from({ length: 1801 }, (_, i) => plane.open(`10.0.${i >> 8}.${i & 255}`));
    for (let i = 0; i < 99; i++) plane.open(`10.1.0.${i}`);
    expect([openOf(behindBalancer), openOf(scattered)]).toEqual([100, 1801]);
  });
});

describe("the network of an IPv6 connection", () => {
  const BOUND = { total: 100, unauthenticated: 100, perAddress: 3 };

  it("one /64 has the bound of one address", () => {
    const plane = new Plane(BOUND);
    const those = ["2001:db8::1", "2001:db8::2", "2001:db8::ffff:0:0:3"].map((address) => plane.open(address));
    plane.clock.advance(2000);
    plane.open("2001:db8:0:0:1::4");
    expect(those.map(({ destroyed }) => destroyed)).toEqual([true, false, false]);
  });

  it("two /64 have a bound each", () => {
    const plane = new Plane(BOUND);
    const those = ["2001:db8:0:1::1", "2001:db8:0:2::1", "2001:db8:0:1::2"].map((address) => plane.open(address));
    plane.clock.advance(2000);
    those.push(plane.open("2001:db8:0:2::2"), plane.open("2001:db8:0:1::3"), plane.open("2001:db8:0:2::3"));
    expect(openOf(those)).toBe(6);
  });
});
