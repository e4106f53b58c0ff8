// The Envoy of envoy/control-planes.yaml in front of two control planes over one Redis: what its callers notice of them.
import { expect, it, onTestFailed, onTestFinished } from "vitest";
import { type Document, parse } from "yaml";
import { deriveKeys } from "../../../control-plane/src/domain/keys.js";
import { WatchingEdge } from "../../../control-plane/test/support/edge-of-planes.js";
import { type Answered, initStore, Plane } from "../../../control-plane/test/support/planes-over-server.js";
import { ADMIN_TOKEN, SECRET } from "../../../control-plane/test/support/process.js";
import { useServer } from "../../../control-plane/test/support/servers/use-server.js";
import { until } from "../../../control-plane/test/support/until.js";
import { sectionOf } from "../../unit/docs.js";
import { Balancer, CLUSTER } from "../harness/balancer.js";
import { ROUTES } from "../harness/bootstrap.js";
import type { ControlPlanePorts } from "../harness/control-plane-client.js";
import { send } from "../harness/http1.js";

const OPERATOR = `Bearer ${ADMIN_TOKEN}`;
const EDGE = `Bearer ${deriveKeys(Buffer.from(SECRET, "hex")).edgeCredential}`;
const ACQUIRES = "sluice_control_acquires_total";
const WATCHES = "sluice_control_watches_held";
/** Each worker of Envoy goes round by itself. */
const ENOUGH_FOR_BOTH = 12;
/** Of as many callers, not all come to the same control plane by chance. */
const CALLERS = Array.from({ length: 40 }, (_, i) => `127.0.0.${i + 2}`);

const server = useServer("Redis 7", { appendonly: true, appendfsync: "always" });

const portsOf = ({ url, status }: Plane): ControlPlanePorts => ({
  http: Number(new URL(url).port),
  status: Number(new URL(status).port),
});

type Scene = Awaited<ReturnType<typeof scene>>;

async function scene(change?: (document: Document) => void) {
  await initStore(server().port);
  const settings = { SLUICE_TRUSTED_PROXIES: "127.0.0.1" };
  const planes = await Promise.all([Plane.start(server().url, settings), Plane.start(server().url, settings)]);
  const balancer = await Balancer.start(planes.map(portsOf), change);
  onTestFinished(() => balancer.stop());
  onTestFailed(() => {
    console.error(balancer.logTail, ...planes.map(({ log }) => log.slice(-4000)));
  });
  const call = async (method: string, path: string, sent?: object, from?: string): Promise<Answered> => {
    const authorization = path.startsWith("/edge/") ? EDGE : OPERATOR;
    const headers = { authorization, ...(sent && { "content-type": "application/json" }) };
    const asked = { method, path, headers, ...(sent && { body: JSON.stringify(sent) }) };
    const { status, body, headers: said } = await send(balancer.port, { ...asked, ...(from && { from }) });
    const isJson = said["content-type"]?.startsWith("application/json") === true;
    return { status, body: isJson ? JSON.parse(body) : body, retryAfter: said["retry-after"] ?? null };
  };
  return {
    ...{ planes, balancer, call },
    edge: (path: string, body: object) => call("POST", `/edge/v1/${path}`, body),
    acquire: (session: string, from?: string) =>
      call("POST", "/edge/v1/acquire", { edge: "gw-a", instance: "a".repeat(16), session }, from),
  };
}

/** A session that was issued at the one address. */
async function issued({ call }: Scene): Promise<string> {
  const { status, body } = await call("POST", "/v1/sessions", { userId: "u1", orgId: "o1" });
  expect(status, JSON.stringify(body)).toBe(201);
  return (body as { session: { id: string } }).session.id;
}

const counted = (planes: readonly Plane[], metric: string): Promise<number[]> =>
  Promise.all(planes.map((plane) => plane.metric(metric)));

/** How much each control plane has counted meanwhile. */
async function countedIn(planes: readonly Plane[], metric: string, done: () => Promise<unknown>): Promise<number[]> {
  const before = await counted(planes, metric);
  await done();
  return (await counted(planes, metric)).map((value, at) => value - (before[at] ?? 0));
}

async function repeated(times: number, call: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < times; i++) await call();
}

/** It takes no connection any more, and Envoy knows that those that it had are over. */
async function killed(plane: Plane, { balancer }: Scene): Promise<void> {
  await plane.kill();
  await until(async () => {
    expect(await balancer.connectionsTo(portsOf(plane))).toBe(0);
  });
}

async function takenForReady({ balancer }: Scene, count: number): Promise<void> {
  await until(async () => {
    expect(await balancer.ready()).toBe(count);
  });
}

/** Resolves once both control planes get acquires. Envoy's workers learn within a second who is ready. */
async function bothGet({ planes }: Scene, acquires: () => Promise<void>): Promise<void> {
  await until(async () => {
    const counts = await countedIn(planes, ACQUIRES, () => repeated(ENOUGH_FOR_BOTH, acquires));
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });
}

it("a killed control plane costs no call to the one address of two", async () => {
  const one = await scene();
  const [gone, other] = one.planes;
  const issuesAndAcquires = async (): Promise<void> => {
    const id = await issued(one);
    expect(await one.acquire(id)).toMatchObject({ status: 200, body: { state: "live" } });
  };
  await bothGet(one, issuesAndAcquires);

  await killed(gone, one);
  await repeated(ENOUGH_FOR_BOTH, issuesAndAcquires);
  await takenForReady(one, 1);
  const edge = new WatchingEdge("gw-b", "b".repeat(16));
  await edge.watch(one);
  const hangs = edge.watch(one);
  await until(async () => {
    expect(await other.metric(WATCHES)).toBe(1);
  });
  const id = await issued(one);
  expect((await one.call("DELETE", `/v1/sessions/${id}`)).status).toBe(204);
  expect((await hangs).revoked).toEqual([id]);

  await gone.restart();
  await takenForReady(one, 2);
  await bothGet(one, issuesAndAcquires);
});

it("control planes of which none is ready still get calls, and tell which sessions have ended", async () => {
  const one = await scene();
  const id = await issued(one);
  expect((await one.call("DELETE", `/v1/sessions/${id}`)).status).toBe(204);
  const edge = new WatchingEdge("gw-b", "b".repeat(16));
  await edge.watch(one);
  const creation = { userId: "u1", orgId: "o1" };

  await server().command("CONFIG", "SET", "maxmemory", "1");
  onTestFinished(async () => {
    await server().command("CONFIG", "SET", "maxmemory", "0");
  });
  for (const plane of one.planes) expect((await plane.operator("POST", "/v1/sessions", creation)).status).toBe(503);
  await takenForReady(one, 0);
  await bothGet(one, async () => {
    expect(await one.acquire(id)).toMatchObject({ status: 200, body: { state: "revoked" } });
  });
  const denied = { status: 503, body: { error: { code: "NOT_WRITTEN" } } };
  expect(await one.call("POST", "/v1/sessions", creation)).toMatchObject(denied);
  const held = edge.watch(one);
  await until(async () => {
    expect((await counted(one.planes, WATCHES)).toSorted()).toEqual([0, 1]);
  });

  await server().command("CONFIG", "SET", "maxmemory", "0");
  await takenForReady(one, 2);
  const next = await issued(one);
  expect((await one.call("DELETE", `/v1/sessions/${next}`)).status).toBe(204);
  expect((await held).revoked).toEqual([next]);
});

/** The file with what docs/stores.md says of keeping each Envoy at one control plane. */
function byAddress(document: Document): void {
  const said = sectionOf("docs/stores.md", "Behind a load balancer").replaceAll("\n", " ");
  const [, lbPolicy] = /`lb_policy: (\w+)` at the cluster/.exec(said) ?? [];
  const [, hashPolicy = ""] = /`(hash_policy: [^`]+)` at the route/.exec(said) ?? [];
  document.setIn([...CLUSTER, "lb_policy"], lbPolicy);
  const { hash_policy } = parse(hashPolicy) as { hash_policy: unknown };
  document.setIn([...ROUTES, 0, "route", "hash_policy"], document.createNode(hash_policy));
}

it("RING_HASH keeps an Envoy at one control plane, and loses no call of it when that is killed", async () => {
  const one = await scene(byAddress);
  const [gone, other] = one.planes;
  const id = await issued(one);
  const acquires = async (from: string): Promise<void> => {
    expect(await one.acquire(id, from), from).toMatchObject({ status: 200, body: { state: "live" } });
  };
  const at = [0, 0];
  for (const caller of CALLERS) {
    const counts = await countedIn(one.planes, ACQUIRES, () => repeated(2, () => acquires(caller)));
    expect(counts.toSorted(), caller).toEqual([0, 2]);
    counts.forEach((count, plane) => (at[plane] = (at[plane] ?? 0) + count));
  }
  expect(Math.min(...at)).toBeGreaterThan(0);

  await killed(gone, one);
  for (const caller of CALLERS) await acquires(caller);
  expect(await other.metric(ACQUIRES)).toBe((at[1] ?? 0) + CALLERS.length);
});
