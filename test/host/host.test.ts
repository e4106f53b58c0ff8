// The host itself, held against what Envoy does, with small filters.
import { beforeAll, describe, expect, it } from "vitest";
import { HostError } from "./abi.js";
import { compileFilter } from "./compile-filter.js";
import { HeaderMap } from "./header-map.js";
import { Host } from "./host.js";
import { Random } from "./random.js";
import { interleave } from "./schedule.js";
import { SharedData } from "./shared-data.js";
import { suspendable } from "./suspendable.js";

const GET = { ":method": "GET", ":path": "/", ":authority": "a" };
const at = (path: string): Record<string, string> => ({ ...GET, ":path": path });

let counterWasm: Uint8Array;
let counter: WebAssembly.Module;
let asksFirst: WebAssembly.Module;
let misbehaves: WebAssembly.Module;
beforeAll(async () => {
  counterWasm = await compileFilter("shared-counter");
  counter = new WebAssembly.Module(counterWasm);
  asksFirst = new WebAssembly.Module(await compileFilter("asks-first"));
  misbehaves = new WebAssembly.Module(await compileFilter("misbehaves"));
}, 60_000);

describe("shared data", () => {
  const bytes = (text: string): Uint8Array => Buffer.from(text);

  it("inserts with any cas where the key is absent, and refuses a wrong one where it is present", () => {
    const shared = new SharedData();
    expect(shared.set("a", bytes("1"), 0xffffffff)).toBe(0);
    expect(shared.set("a", bytes("2"), 0xffffffff)).toBe(8);
    expect(Buffer.from(shared.get("a")?.value ?? []).toString()).toBe("1");
  });

  it("overwrites blindly with cas 0, keeps empty values and counts cas over all keys", () => {
    const shared = new SharedData();
    shared.set("a", bytes("1"), 0);
    const first = shared.get("a")?.cas ?? 0;
    expect(shared.set("a", bytes(""), 0)).toBe(0);
    expect(shared.get("a")).toEqual({ value: new Uint8Array(), cas: first + 1 });
    shared.set("b", bytes("1"), 7);
    expect(shared.get("b")?.cas).toBe(first + 2);
    expect(shared.set("a", bytes("2"), first + 2)).toBe(8);
    expect(shared.get("c")).toBeUndefined();
  });
});

describe("header map", () => {
  it("answers the first value of a header that stands twice", () => {
    const headers = new HeaderMap([
      ["X-A", "first"],
      ["x-a", "second"],
    ]);
    expect(headers.get("x-A")).toBe("first");
    headers.replace("x-a", "third");
    expect(headers.pairs()).toEqual([["x-a", "third"]]);
  });
});

describe("several VMs over one map", () => {
  it("lets a second VM run between the get and the set of the first, whose cas then fails once", () => {
    const envoy = new Host();
    const a = envoy.startVm(counter, "");
    const b = envoy.startVm(counter, "");
    envoy.hooks.once(
      "before",
      (call) => call.vm === a && call.name === "proxy_set_shared_data",
      () => {
        expect(b.request(GET).responseHeaders?.get("x-count")).toBe("1");
      },
    );
    expect(a.request(GET).responseHeaders?.get("x-count")).toBe("2");
    expect(envoy.metrics.sum("tries")).toBe(3);
  });

  it("loses an update to a blind overwrite when the race is forced", () => {
    const envoy = new Host();
    const a = envoy.startVm(counter, "");
    const b = envoy.startVm(counter, "");
    envoy.hooks.once(
      "after",
      (call) => call.vm === a && call.name === "proxy_get_shared_data",
      () => b.request(at("/blind")),
    );
    expect(a.request(at("/blind")).responseHeaders?.get("x-count")).toBe("1");
  });

  it("refuses to enter a VM again while it runs", () => {
    const envoy = new Host();
    const a = envoy.startVm(counter, "");
    envoy.hooks.once(
      "before",
      (call) => call.name === "proxy_get_shared_data",
      () => a.request(GET),
    );
    expect(() => a.request(GET)).toThrow(HostError);
  });
});

describe("interleaving by a schedule", () => {
  /** 3 VMs count 20 requests each under a seeded schedule. */
  function count(path: string, seed: number): { total: number; schedule: number[] } {
    const envoy = new Host();
    const module = new WebAssembly.Module(suspendable(counterWasm));
    const vms = [0, 1, 2].map(() => envoy.startVm(module, ""));
    const lanes = vms.map((vm) => Array.from({ length: 20 }, () => () => vm.requestSteps(at(path))));
    const schedule = interleave(lanes, new Random(seed));
    const value = envoy.sharedData.get("cnt")?.value ?? new Uint8Array(4);
    return { total: Buffer.from(value).readUInt32LE(0), schedule };
  }

  it("stops VMs in the middle of their requests: blind overwrites lose counts, compare-and-swap loses none", () => {
    expect(count("/", 1).total).toBe(60);
    expect(count("/blind", 1).total).toBeLessThan(60);
  });

  it("repeats a schedule from its seed", () => {
    expect(count("/", 7)).toEqual(count("/", 7));
    expect(count("/", 7).schedule).not.toEqual(count("/", 8).schedule);
  });
});

describe("callouts", () => {
  it("continues a paused request when the answer's stream is made effective", () => {
    const envoy = new Host();
    const stream = envoy.startVm(asksFirst, "one").request(at("/a"));
    expect(stream.paused).toBe(true);
    const [callout] = envoy.pendingCallouts;
    expect(callout).toMatchObject({ cluster: "asked", timeoutMs: 250, json: { about: "/a" } });
    callout?.answer(200, "body");
    expect(stream).toMatchObject({ status: 200, reachedUpstream: true, paused: false });
    expect(envoy.messages()).toContain("answer 200 1 body");
  });

  it("leaves the stream hanging, and says 0, when the effective context was not set", () => {
    const envoy = new Host();
    const stream = envoy.startVm(asksFirst, "").request(GET);
    envoy.pendingCallouts[0]?.answer(418);
    expect(stream.paused).toBe(true);
    expect(envoy.messages()).toContain("continue 0");
  });

  it("answers 2 for the context of a client that left", () => {
    const envoy = new Host();
    const stream = envoy.startVm(asksFirst, "").request(GET);
    stream.abandon();
    envoy.pendingCallouts[0]?.answer(403);
    expect(envoy.messages()).toContain("effective 2");
    expect(stream.local).toBeUndefined();
  });

  it("brings a timeout as 504, a refused connection as 503 and a reset without headers", () => {
    const envoy = new Host();
    const vm = envoy.startVm(asksFirst, "");
    for (const end of ["timeOut", "refuse", "reset"] as const) {
      vm.request(GET);
      envoy.pendingCallouts[0]?.[end]();
    }
    const answers = envoy.messages().filter((message) => message.startsWith("answer"));
    expect(answers.map((message) => message.split(" ").slice(0, 3).join(" "))).toEqual([
      "answer 504 1",
      "answer 503 1",
      "answer  0",
    ]);
  });

  it("refuses a call without its headers, to an unknown cluster, and without a healthy host, at once", () => {
    const envoy = new Host();
    const vm = envoy.startVm(asksFirst, "");
    vm.request(at("/incomplete"));
    envoy.dispatchResult = 2;
    vm.request(GET);
    envoy.dispatchResult = 10;
    vm.request(GET);
    expect(envoy.messages().filter((message) => message.startsWith("call"))).toEqual(["call 2", "call 2", "call 10"]);
    expect(envoy.callouts).toHaveLength(0);
  });

  it("passes a local answer through the filter's own response callback", () => {
    const envoy = new Host();
    const stream = envoy.startVm(asksFirst, "one").request(GET);
    envoy.pendingCallouts[0]?.answer(403);
    expect(stream.local).toMatchObject({ status: 403, body: "no" });
    expect(stream.responseHeaders?.get("x-configuration")).toBe("one");
  });
});

describe("configurations", () => {
  it("keeps an old root until its last stream is gone, then ends it", () => {
    const envoy = new Host();
    const vm = envoy.startVm(asksFirst, "one");
    const stream = vm.request(GET);
    expect(vm.configure("two")).toBe(true);
    expect(envoy.messages()).not.toContain("done 1");
    envoy.pendingCallouts[0]?.answer(200);
    expect(stream.status).toBe(200);
    expect(envoy.messages().slice(-2)).toEqual(["done 1", "delete 1"]);
    envoy.logs.length = 0;
    vm.tick();
    expect(envoy.messages()).toEqual([`tick ${vm.roots()[0]?.id ?? 0}`]);
  });

  it("keeps the old configuration when the new one is refused", () => {
    const envoy = new Host();
    const vm = envoy.startVm(asksFirst, "one");
    expect(vm.configure("bad")).toBe(false);
    const stream = vm.request(GET);
    expect(stream.root.id).toBe(1);
    expect(vm.roots()).toHaveLength(1);
  });

  it("cancels the callouts of a root that goes", () => {
    const envoy = new Host();
    const vm = envoy.startVm(asksFirst, "one");
    vm.request(GET).abandon();
    vm.configure("two");
    expect(envoy.callouts[0]?.state).toBe("cancelled");
  });
});

describe("a guest that misbehaves", () => {
  it("fails its VM for good when it traps, and the client gets 503", () => {
    const vm = new Host().startVm(misbehaves, "");
    expect(vm.request(at("/trap"))).toMatchObject({ state: "failed", status: 503 });
    expect(vm.failure).toBeInstanceOf(WebAssembly.RuntimeError);
    expect(vm.request(GET).status).toBe(503);
  });

  it("fails its VM when it recurses without an end", () => {
    const vm = new Host().startVm(misbehaves, "");
    expect(vm.request(at("/recurse")).status).toBe(503);
    expect(vm.failure).toBeDefined();
  });

  it("gets 6 and no trap when it has no room for the bytes, or points outside its memory", () => {
    const envoy = new Host();
    const vm = envoy.startVm(misbehaves, "");
    expect(vm.request(at("/no-room")).status).toBe(200);
    expect(vm.request(at("/pointer")).status).toBe(200);
    expect(envoy.messages()).toEqual(["get 6", "set 6"]);
  });

  it("breaks the test when it makes a host call inside the allocation callback", () => {
    const vm = new Host().startVm(misbehaves, "");
    expect(() => vm.request(at("/calls-while-allocating"))).toThrow(HostError);
  });
});
