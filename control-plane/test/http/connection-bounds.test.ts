// Connections at their bounds: who gives way, and who gets in all the same.
import { request } from "node:http";
import { describe, expect, it } from "vitest";

import { ADMIN_TOKEN, created, startTestControlPlane } from "../support/control-plane.js";
import type { TestControlPlane } from "../support/control-plane.js";
import { sitDownEach } from "../support/sitting.js";
import type { Sitting } from "../support/sitting.js";
import { until } from "../support/until.js";

const BOUNDS = { total: 40, unauthenticated: 20, perAddress: 10 };
const NEIGHBOUR = "127.0.0.2";
/** A connection is young for so long. */
const YOUNG_MS = 2000;

const started = (connections = BOUNDS) => startTestControlPlane(undefined, { connections });
const portOf = ({ url }: TestControlPlane): number => Number(new URL(url).port);
const isOpen = ({ closed }: Sitting): boolean => !closed();

/** The status of the answer to a call from an address, over a connection of its own. */
function statusFrom(plane: TestControlPlane, localAddress: string, path: string, token?: string): Promise<number> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const call = request({ host: "127.0.0.1", port: portOf(plane), path, localAddress, headers, agent: false });
    call.on("response", (response) => {
      response.resume().on("end", () => {
        resolve(response.statusCode ?? 0);
      });
    });
    call.on("error", reject).end();
  });
}

const GET = (token: string): string => `GET /v1/sessions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`;

/** Sends a request on the connection, and waits for its answer. */
async function ask({ socket }: Sitting, token: string): Promise<string> {
  let received = "";
  const listen = (chunk: Buffer): void => void (received += chunk.toString());
  socket.on("data", listen).write(GET(token));
  await until(() => {
    expect(received).toMatch(/^HTTP\/1\.1 \d+/);
  });
  socket.off("data", listen);
  return received.slice(9, 12);
}

describe("an address that opens more connections than it may have without a credential", () => {
  it("the oldest of its connections give way, and other addresses notice nothing", async () => {
    const plane = await started();
    const sitting = await sitDownEach(portOf(plane), Array<string>(BOUNDS.unauthenticated).fill(NEIGHBOUR));
    plane.clock.advance(YOUNG_MS);
    const [late] = await sitDownEach(portOf(plane), [NEIGHBOUR]);
    await until(() => {
      expect(sitting.filter(isOpen)).toHaveLength(BOUNDS.perAddress - 1);
    });
    expect([...sitting.slice(1 - BOUNDS.perAddress), late].every((one) => one !== undefined && isOpen(one))).toBe(true);
    const { session } = await created(plane);
    expect((await plane.acquire(session.id)).status).toBe(200);
  });

  it("many that connect at once from one address are not closed before they say anything", async () => {
    const plane = await started();
    const sitting = await sitDownEach(portOf(plane), Array<string>(BOUNDS.unauthenticated).fill(NEIGHBOUR));
    for (const one of sitting) expect(await ask(one, ADMIN_TOKEN)).toBe("200");
    expect(sitting.every(isOpen)).toBe(true);
  });

  it("an operator from that very address gets in too", async () => {
    const plane = await started();
    await sitDownEach(portOf(plane), Array<string>(50).fill(NEIGHBOUR));
    expect(await statusFrom(plane, NEIGHBOUR, "/v1/sessions", ADMIN_TOKEN)).toBe(200);
  });

  it("a connection that has shown a credential stays, whatever comes from its address", async () => {
    const plane = await started();
    const [operator] = await sitDownEach(portOf(plane), [NEIGHBOUR]);
    if (operator === undefined) throw new Error("no connection");
    expect(await ask(operator, ADMIN_TOKEN)).toBe("200");
    await sitDownEach(portOf(plane), Array<string>(50).fill(NEIGHBOUR));
    expect(await ask(operator, ADMIN_TOKEN)).toBe("200");
  });

  it("a connection that guesses at credentials counts as one without", async () => {
    const plane = await started();
    const [guesser] = await sitDownEach(portOf(plane), [NEIGHBOUR]);
    if (guesser === undefined) throw new Error("no connection");
    expect(await ask(guesser, "guessed")).toBe("401");
    plane.clock.advance(YOUNG_MS);
    await sitDownEach(portOf(plane), Array<string>(BOUNDS.perAddress).fill(NEIGHBOUR));
    await until(() => {
      expect(guesser.closed()).toBe(true);
    });
  });

  it("connections that end make room for as many others", async () => {
    const plane = await started();
    for (let round = 0; round < 3; round++) {
      const sitting = await sitDownEach(portOf(plane), Array<string>(BOUNDS.perAddress).fill(NEIGHBOUR));
      expect(sitting.every(isOpen)).toBe(true);
      for (const { socket } of sitting) socket.destroy();
      await until(async () => {
        const { text } = await plane.status("/metrics");
        expect(text).toMatch(/^sluice_control_connections\{listener="api",authenticated="no"\} 0$/m);
      });
    }
    const { text } = await plane.status("/metrics");
    expect(text).toContain('sluice_control_connections_dropped_total{listener="api",reason="address"} 0');
  });
});

describe("callers from many addresses", () => {
  const addresses = (count: number): string[] => Array.from({ length: count }, (_, i) => `127.0.1.${i + 1}`);

  it("the reserve for callers with a credential is left to them", async () => {
    const plane = await started();
    const sitting = await sitDownEach(portOf(plane), addresses(60));
    await until(() => {
      expect(sitting.filter(isOpen)).toHaveLength(BOUNDS.unauthenticated);
    });
    const operators = await sitDownEach(portOf(plane), addresses(10));
    for (const operator of operators) expect(await ask(operator, ADMIN_TOKEN)).toBe("200");
    await sitDownEach(portOf(plane), addresses(60));
    expect(operators.every(isOpen)).toBe(true);
  });

  it("the oldest with a credential gives way where those take all their places, to a new one", async () => {
    const plane = await started({ total: 6, unauthenticated: 6, perAddress: 3 });
    const operators = await sitDownEach(portOf(plane), addresses(6));
    for (const operator of operators) expect(await ask(operator, ADMIN_TOKEN)).toBe("200");
    await until(() => {
      expect(operators.map(isOpen)).toEqual([false, true, true, true, true, true]);
    });
    expect(await statusFrom(plane, "127.0.2.1", "/v1/sessions", ADMIN_TOKEN)).toBe(200);
  });

  it("the total holds: those without a credential give way, and none that has shown one", async () => {
    const plane = await started({ total: 4, unauthenticated: 4, perAddress: 4 });
    const [first, second, ...others] = await sitDownEach(portOf(plane), addresses(4));
    if (first === undefined || second === undefined) throw new Error("no connection");
    expect([await ask(first, ADMIN_TOKEN), await ask(second, ADMIN_TOKEN)]).toEqual(["200", "200"]);
    const late = await sitDownEach(portOf(plane), ["127.0.2.1", "127.0.2.2"]);
    await until(() => {
      expect(others.filter(isOpen)).toEqual([]);
    });
    expect([first, second, ...late].every(isOpen)).toBe(true);
  });
});

describe("connections at a bound, as an operator sees them", () => {
  it("drops are counted by bound, and logged once a minute with the address", async () => {
    const plane = await started();
    await sitDownEach(portOf(plane), Array<string>(BOUNDS.perAddress + 4).fill(NEIGHBOUR));
    plane.clock.advance(YOUNG_MS);
    await sitDownEach(portOf(plane), [NEIGHBOUR]);
    const { text } = await plane.status("/metrics");
    expect(text).toContain('sluice_control_connections_dropped_total{listener="api",reason="address"} 5');
    expect(text).toContain('sluice_control_connections_dropped_total{listener="api",reason="total"} 0');
    const lines = (): string[] =>
      plane
        .logged()
        .split("\n")
        .filter((line) => line.includes("connections-dropped"));
    expect(lines()).toEqual([expect.stringContaining(`"address":"${NEIGHBOUR}","dropped":1`)]);
    plane.clock.advance(60_000);
    await sitDownEach(portOf(plane), [NEIGHBOUR]);
    await until(() => {
      expect(lines()[1]).toContain('"dropped":5');
    });
  });
});
