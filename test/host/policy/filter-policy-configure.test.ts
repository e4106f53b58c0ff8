// Edge settings and the shared policy at configure: which policy a VM begins with, and that its result on its settings
// depends on their bytes alone.
import { describe, expect, it } from "vitest";
import { TICK_MS } from "../../../assembly/contract.js";
import { bellOf, isLogCursorKey } from "../harness/scenes/edge-keys.js";
import { OTHER_SECRET, plan, policy, settings } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import {
  edgeWithoutPolicy,
  generations,
  headersOf,
  newestWatch,
  offer,
  policyHash,
  runs,
} from "../harness/scenes/policy-offer.js";
import { Random } from "../harness/host/random.js";
import { suspendableFilterModule } from "../harness/builds/filter-modules.js";

const five = policy({ plans: [plan({ maxTokens: 5 })] });
const own = policy({ header: "x-own", plans: [plan({ maxTokens: 3 })] });
const bad = policy({ plans: [] });

function following(): Edge {
  const edge = edgeWithoutPolicy();
  edge.flush();
  offer(edge.watch, five, { generation: 7 });
  return edge;
}

/** What a request with a token that is none gets from a new VM with these settings, before its first tick. */
function firstAnswer(edge: Edge, document: string): number | undefined {
  edge.addWorker(document);
  return edge.send("invented", edge.workers.length - 1).status;
}

describe("a VM that is configured", () => {
  it("a new VM begins with the shared policy where its build has accepted it", () => {
    const edge = following();
    expect(firstAnswer(edge, settings(undefined))).toBe(401);
    expect(firstAnswer(edge, settings(own))).toBe(401);
    edge.passMs(TICK_MS);
    expect(generations(edge)).toEqual([7, 7, 7]);
  });

  it("a new VM begins with its settings' own where no VM of its build tried the shared", () => {
    const edge = new Edge({ policy: null, module: suspendableFilterModule() });
    edge.flush();
    const text = JSON.stringify(five);
    const dying = edge.watch.answerSteps(200, text, headersOf(text, { generation: 7 }));
    while (bellOf(edge.host.sharedData) === undefined) dying.next();
    const fresh = edge.addWorker(settings(own));
    const session = edge.newSession();
    const stream = fresh.request([...Object.entries({ ":method": "GET", ":path": "/", "x-own": session.token })]);
    expect(stream.paused).toBe(true);
    expect(edge.pendingAcquires).toHaveLength(1);
  });

  it("a new VM holds requests where settings have no policy and the shared is rejected", () => {
    const edge = edgeWithoutPolicy();
    edge.flush();
    offer(edge.watch, bad, { generation: 7 });
    expect(firstAnswer(edge, settings(undefined))).toBeUndefined();
    expect(firstAnswer(edge, settings(own))).toBe(401);
  });

  it("a new VM that does not follow serves its own policy, and says so", () => {
    const edge = following();
    const document = settings(own, { follow: false });
    expect(firstAnswer(edge, document)).toBe(401);
    edge.passMs(5 * TICK_MS);
    expect(runs(edge)[1]).toEqual({
      source: "settings",
      generation: 0,
      hash: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
    });
  });
});

describe("settings with a policy of their own", () => {
  it("a policy in the settings serves under its canonical hash until another comes", () => {
    const edge = new Edge({ policy: own, workers: 2 });
    const [before] = runs(edge);
    expect(before).toMatchObject({ source: "settings", generation: 0 });
    offer(edge.watch, five, { generation: 7 });
    edge.passMs(TICK_MS);
    const hash = policyHash(JSON.stringify(five));
    expect(runs(edge)).toEqual([
      { source: "control-plane", generation: 7, hash },
      { source: "control-plane", generation: 7, hash },
    ]);
  });

  it("settings in another order and spelling have the same hash", () => {
    const document = { version: 1, policy: own, table: { capacity: 1024 } };
    const spelt = JSON.stringify(
      { table: { capacity: 1024 }, policy: { ...own, onMiss: "acquire" }, version: 1 },
      null,
      2,
    );
    const edge = new Edge({ policy: own });
    edge.addWorker(JSON.stringify(document));
    edge.addWorker(spelt);
    const [a, b, c] = runs(edge);
    expect(b).toEqual(a);
    expect(c).toEqual(a);
  });
});

describe("the result on settings", () => {
  const documents = [settings(own), settings(undefined), settings(undefined, { follow: false }), settings(bad), "{"];

  it("settings have the same result on every VM, whatever shared data holds", () => {
    const clean = edgeWithoutPolicy();
    const expected = documents.map((document) => clean.addWorker(document).accepted);
    expect(expected).toEqual([true, true, false, false, false]);
    const random = new Random(31);
    for (let round = 0; round < 60; round++) {
      const edge = following();
      for (const key of edge.host.sharedData.keys()) {
        if (isLogCursorKey(key) && random.chance(0.5)) continue;
        const value = Buffer.from(edge.host.sharedData.get(key)?.value ?? []);
        for (let i = 0; i < 1 + random.below(20) && value.length > 0; i++) {
          value[random.below(value.length)] = random.below(256);
        }
        edge.host.sharedData.set(key, value, 0);
      }
      for (const [index, document] of documents.entries()) {
        const vm = edge.addWorker(document);
        expect(vm.accepted, `round ${round}, ${document}`).toBe(expected[index]);
        expect(vm.failure, `round ${round}, ${document}`).toBeUndefined();
        if (vm.accepted) vm.tick();
        expect(vm.failure, `round ${round}, ${document}`).toBeUndefined();
      }
    }
  });
});

describe("two installations in one Envoy, whose plugins share one map", () => {
  it.each([
    ["another cluster of the calls", { settings: { controlPlane: { cluster: "other_plane" } } }],
    ["another name of the table", { settings: { table: { name: "other", capacity: 1024 } } }],
    ["another secret", { secret: OTHER_SECRET }],
  ])("two installations with %s share neither policy nor sessions", (_what, other) => {
    const edge = following();
    const session = edge.sessionInTable({ tokens: 4 });
    const neighbour = new Edge({ policy: null, sharedData: edge.host.sharedData, ...other });
    neighbour.passMs(TICK_MS);
    expect(neighbour.send("invented").paused).toBe(true);
    offer(newestWatch(neighbour), policy({ plans: [plan({ maxTokens: 9 })] }), { generation: 3 });
    neighbour.passMs(TICK_MS);
    expect(neighbour.admitted(session, 3)).toBe(0);
    expect(edge.admitted(session, 9)).toBe(4);
    expect([generations(edge), generations(neighbour)]).toEqual([[7], [3]]);
  });
});
