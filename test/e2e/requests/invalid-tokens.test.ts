// Invalid tokens: however many are invented, none reaches anything behind the filter.
import { beforeAll, afterAll, describe, expect, it } from "vitest";
import { randomBytes } from "node:crypto";
import type { ClientHttp2Session } from "node:http2";
import { TOKEN_BYTES, TOKEN_CHARS, TOKEN_KEY_ID_AT } from "../../../assembly/contract.js";
import { until } from "../../../control-plane/test/support/until.js";
import { Random } from "../../host/harness/host/random.js";
import { TokenMint, withBitFlipped } from "../../host/harness/scenes/tokens.js";
import { INVALID, MISSING } from "../harness/answers.js";
import { useInstallation } from "../harness/installation.js";
import { drive } from "../harness/http2-load.js";
import { policyOf } from "../harness/policy.js";
import { exchange } from "../harness/raw-http1.js";

const INVENTED = 10_000;
const HUGE_CHARS = 20_000;
/** What may stand in a header's value, but not in a token. */
const FOREIGN_CHARS = Array.from("!\"#$%&'()*+,./:;<=>?@[\\]^`{|}~ ");

const sluice = useInstallation({ policy: policyOf([{ name: "default", maxTokens: 100, tokenRefillRate: 0 }]) });

let connections: ClientHttp2Session[] = [];
/** A session that the table holds: its token is what the forgers begin with. */
let genuine: string;

beforeAll(async () => {
  connections = await sluice().connect(8);
  genuine = (await sluice().api.issue()).token;
  expect(await sluice().statuses(genuine, 1)).toEqual([200]);
});
afterAll(() => {
  for (const session of connections) session.close();
});

/** Ways to make a value that is no token, each as far from a token as its name says. */
function forgeries(random: Random): Record<string, () => string> {
  const genuineBytes = Buffer.from(genuine, "base64url");
  const elsewhere = new TokenMint(randomBytes(32).toString("hex"), random);
  const changed = (at: number, value: number): string => {
    const bytes = Buffer.from(genuineBytes);
    bytes[at] = value;
    return bytes.toString("base64url");
  };
  const invented = (bytes: number): string => Buffer.from(random.bytes(bytes)).toString("base64url");
  const withForeignChar = (): string => {
    const at = 1 + random.below(TOKEN_CHARS - 2);
    return genuine.slice(0, at) + random.pick(FOREIGN_CHARS) + genuine.slice(at + 1);
  };
  return {
    "random bytes of the right length": () => invented(TOKEN_BYTES),
    "the right form around an invented session": () => {
      const head = genuineBytes.subarray(0, TOKEN_KEY_ID_AT + 1);
      return Buffer.concat([head, random.bytes(TOKEN_BYTES - head.length)]).toString("base64url");
    },
    "one bit turned over": () => withBitFlipped(genuine, random.below(TOKEN_BYTES * 8)),
    "another version": () => changed(0, 2 + random.below(254)),
    "another installation's token": () => elsewhere.mint(Date.now()).token,
    "a character of another alphabet": withForeignChar,
    "too short": () => genuine.slice(0, 1 + random.below(TOKEN_CHARS - 1)),
    "too long": () => genuine + invented(1 + random.below(200)),
    "with padding": () => genuine + random.pick(["=", "==", "===="]),
    "two in one": () => `${genuine},${genuine}`,
  };
}

/** What would have grown if a request had reached anything behind the filter. */
async function seenBehindFilter() {
  const samples = await sluice().envoyAdmin.samples();
  const answers = ["live", "revoked", "expired", "unknown"].map((one) => `sluice_misses_total{outcome="${one}"}`);
  return {
    upstream: sluice().upstream.received.length,
    acquires: await sluice().api.acquires(),
    answers: answers.reduce((sum, name) => sum + (samples.get(name) ?? 0), 0),
    records: samples.get("sluice_table_records"),
    allowed: samples.get('sluice_requests_total{outcome="allowed",plan="default"}'),
  };
}

const counted = (labels: string) => sluice().envoyAdmin.sample(`sluice_requests_total{${labels}}`);

/** The table's gauge and these counters reach Envoy together, so after this the gauge is up to date too. */
const hasCounted = (labels: string, requests: number) =>
  until(async () => {
    expect(await counted(labels)).toBe(requests);
  });

describe("invalid tokens", () => {
  it("invalid tokens, 10000 of them, reach no service, control plane or table", async () => {
    await hasCounted('outcome="allowed",plan="default"', 1);
    const [before, invalidBefore] = [await seenBehindFilter(), await counted('outcome="invalid"')];
    const random = new Random(7);
    const ways = Object.values(forgeries(random));
    const tokens = Array.from({ length: INVENTED }, (_, index) => ways[index % ways.length]?.() ?? "");
    const load = await drive({
      connections,
      inFlight: 8,
      next: () => {
        const token = tokens.pop();
        return token === undefined ? null : { "x-session-id": token };
      },
    });
    expect(load.failures).toEqual([]);
    expect(load.statuses).toEqual({ 401: INVENTED });
    await hasCounted('outcome="invalid"', invalidBefore + INVENTED);
    expect(await seenBehindFilter()).toEqual(before);
  });

  it("an invalid token gets a 401 that says so, whatever is wrong with it", async () => {
    for (const [way, forge] of Object.entries(forgeries(new Random(8)))) {
      expect({ way, ...(await sluice().send({ token: forge() })) }).toMatchObject({ way, status: 401, body: INVALID });
    }
  });

  it("an invalid token of 20 KB is denied, by Envoy if it is longer than Envoy takes", async () => {
    const before = await seenBehindFilter();
    for (const token of ["A".repeat(HUGE_CHARS), genuine + genuine.repeat(HUGE_CHARS / TOKEN_CHARS)]) {
      expect(await sluice().send({ token })).toMatchObject({ status: 401, body: INVALID });
    }
    expect((await sluice().send({ token: "A".repeat(100_000) })).status).toBe(431);
    expect(await seenBehindFilter()).toEqual(before);
  });

  it("a token that is not ASCII is denied by the filter or by Envoy", async () => {
    const before = await seenBehindFilter();
    const statuses = new Set<string>();
    for (let byte = 0; byte < 256; byte++) {
      if (byte >= 0x20 && byte < 0x7f) continue;
      const value = Buffer.from(genuine);
      value[20] = byte;
      const head = Buffer.from("GET / HTTP/1.1\r\nhost: sluice\r\nconnection: close\r\nx-session-id: ");
      const answer = await exchange(sluice().ports.proxy, Buffer.concat([head, value, Buffer.from("\r\n\r\n")]));
      statuses.add(answer.slice(0, "HTTP/1.1 401".length));
    }
    expect(statuses).toEqual(new Set(["HTTP/1.1 400", "HTTP/1.1 401"]));
    expect(await seenBehindFilter()).toEqual(before);
  });

  it("an empty token counts as missing", async () => {
    const before = await seenBehindFilter();
    expect(await sluice().send({ token: "" })).toMatchObject({ status: 401, body: MISSING });
    expect(await sluice().send()).toMatchObject({ status: 401, body: MISSING });
    expect(await seenBehindFilter()).toEqual(before);
  });

  it("an invalid token spends nothing of the session that it imitates", async () => {
    const answer = await sluice().send({ token: genuine });
    expect(answer.status).toBe(200);
    expect(answer.headers.ratelimit).toBe('"default";r=98');
  });
});

describe("a request with two session headers", () => {
  it("the first of two session headers decides", async () => {
    const ask = (first: string, second: string): Promise<string> => {
      const lines = ["GET / HTTP/1.1", "host: sluice", "connection: close"];
      const head = [...lines, `x-session-id: ${first}`, `X-Session-ID: ${second}`].join("\r\n");
      return exchange(sluice().ports.proxy, `${head}\r\n\r\n`);
    };
    expect(await ask(genuine, "invented")).toMatch(/^HTTP\/1.1 200 /);
    expect(await ask("invented", genuine)).toMatch(/^HTTP\/1.1 401 /);
  });
});
