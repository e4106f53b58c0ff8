// Two control planes as processes over one Redis: any of them answers any edge and operator.
import { describe, expect, it, onTestFinished } from "vitest";

import { follow, WatchingEdge } from "../support/edge-of-planes.js";
import { initStore, issued, Plane, stateOf } from "../support/planes-over-server.js";
import { useServer } from "../support/servers/use-server.js";
import { until } from "../support/until.js";

const server = useServer("Redis 7", { appendonly: true, appendfsync: "always" });

async function two() {
  await initStore(server().port);
  return Promise.all([Plane.start(server().url), Plane.start(server().url)]);
}

/** It watches there until the test is over. */
function following(edge: WatchingEdge, ...planes: readonly Plane[]): void {
  const over = new AbortController();
  const ended = follow(edge, planes, over.signal);
  onTestFinished(() => {
    over.abort();
    return ended;
  });
}

interface Edges {
  readonly edges: readonly { readonly edge: string; readonly watching: boolean; readonly instances: unknown }[];
}

/** Names of the edges that it shows as watching. */
async function watchingAt(plane: Plane): Promise<string[]> {
  const { body } = await plane.operator("GET", "/v1/edges");
  return (body as Edges).edges.filter(({ watching }) => watching).map(({ edge }) => edge);
}

describe("two control planes over one store", () => {
  it("a watch that hangs at one control plane is answered by a revocation at the other", async () => {
    const [a, b] = await two();
    const edge = new WatchingEdge("gw-a", "a".repeat(16));
    const id = await issued(b);
    await edge.watch(a);
    const hangs = edge.watch(a);
    await until(async () => {
      expect(await a.metric("sluice_control_watches_held")).toBe(1);
    });
    expect((await b.operator("DELETE", `/v1/sessions/${id}`)).status).toBe(204);
    expect(await hangs).toMatchObject({ cursor: 1, revoked: [id] });
    expect((await edge.acquire(a, id)).body).toMatchObject({ state: "revoked" });
  });

  it("a revocation that waits at one control plane counts the edges that watch at the other", async () => {
    const [a, b] = await two();
    const [edge, silent] = [new WatchingEdge("gw-a", "a".repeat(16)), new WatchingEdge("gw-s", "5".repeat(16))];
    const ids = [await issued(a), await issued(a)];
    following(edge, a);
    await until(async () => {
      expect(await watchingAt(b)).toEqual(["gw-a"]);
    });
    const confirmed = await b.operator("DELETE", `/v1/sessions/${ids[0] ?? ""}?wait=20s`);
    expect(confirmed.body).toEqual({ revocation: { edges: 1, confirmed: 1, pending: [] } });
    expect(edge.heard.has(ids[0] ?? "")).toBe(true);
    // It follows at A, hangs up, and never watches again.
    await silent.watch(a);
    const hangsUp = new AbortController();
    const held = expect(silent.watch(a, hangsUp.signal)).rejects.toThrow();
    await until(async () => {
      expect(await watchingAt(b)).toEqual(["gw-a", "gw-s"]);
    });
    hangsUp.abort();
    await held;
    const late = await b.operator("DELETE", `/v1/sessions/${ids[1] ?? ""}?wait=3s`);
    expect(late.body).toEqual({ revocation: { edges: 2, confirmed: 1, pending: ["gw-s"] } });
  });

  it("both control planes show the same edges, whichever an edge speaks to", async () => {
    const [a, b] = await two();
    const [one, other] = [new WatchingEdge("gw-a", "a".repeat(16)), new WatchingEdge("gw-b", "b".repeat(16))];
    following(one, a);
    following(other, b);
    expect((await one.report(b, [], "1".repeat(16))).status).toBe(200);
    expect((await one.report(a, [], "2".repeat(16))).status).toBe(200);
    const shown = async (plane: Plane) => {
      const { edges } = (await plane.operator("GET", "/v1/edges")).body as {
        edges: { edge: string; watching: boolean; state: string; lag: number; instances: { workers: unknown[] }[] }[];
      };
      return edges.map(({ edge, watching, state, lag, instances }) => {
        return { edge, watching, state, lag, workers: instances.flatMap(({ workers }) => workers).length };
      });
    };
    await until(async () => {
      expect((await shown(a)).map(({ workers }) => workers)).toEqual([2, 0]);
      expect((await shown(a)).every(({ watching }) => watching)).toBe(true);
      expect(await shown(b)).toEqual(await shown(a));
    });
  });

  it("a policy that one control plane is given is in force at both, as one generation", async () => {
    const [a, b] = await two();
    const inForce = async (plane: Plane): Promise<unknown> =>
      ((await plane.operator("GET", "/v1/policy/status")).body as { inForce: unknown }).inForce;
    const before = await inForce(a);
    expect(await inForce(b)).toEqual(before);
    const text = "version: 1\nplans:\n  - { id: 0, name: starter, maxTokens: 77, tokenRefillRate: 10 }\n";
    a.writePolicy(text);
    await until(async () => {
      expect(await inForce(b)).not.toEqual(before);
    });
    const after = await inForce(b);
    b.writePolicy(text);
    await until(() => {
      expect(b.events("policy-unchanged").length + b.events("policy-accepted").length).toBeGreaterThan(1);
    });
    expect([await inForce(a), await inForce(b)]).toEqual([after, after]);
    expect(after).toMatchObject({ generation: (before as { generation: number }).generation + 1 });
  });
});

describe("a rolling restart of two control planes", () => {
  it("a rolling restart loses no answer and ends no session, and an edge hears everything", async () => {
    const planes = await two();
    const [a, b] = planes;
    const edge = new WatchingEdge("gw-a", "a".repeat(16));
    following(edge, a, b);
    const kept: string[] = [];
    const revoked: string[] = [];
    for (const [going, other] of [planes, [b, a] as const]) {
      const during = await issued(going);
      expect((await edge.acquire(other, during)).body).toMatchObject({ state: "live" });
      expect((await edge.report(going, [[during, 1, 7, 93_000_000, 0]])).status).toBe(200);
      expect(await going.stop()).toEqual({ code: 0, signal: null });
      const [one, two] = [await issued(other), await issued(other)];
      expect((await other.operator("DELETE", `/v1/sessions/${one}`)).status).toBe(204);
      kept.push(during, two);
      revoked.push(one);
      await going.restart();
    }
    for (const plane of planes) {
      expect(await Promise.all(kept.map((id) => stateOf(plane, id)))).toEqual(kept.map(() => "live"));
      expect(await Promise.all(revoked.map((id) => stateOf(plane, id)))).toEqual(["revoked", "revoked"]);
      const { body } = await plane.operator("GET", `/v1/sessions/${kept[0] ?? ""}/usage`);
      expect(body).toMatchObject({ consumed: 7 });
    }
    await until(() => {
      expect(revoked.filter((id) => edge.heard.has(id))).toEqual(revoked);
    });
    expect(edge.resets).toBe(0);
  });
});
