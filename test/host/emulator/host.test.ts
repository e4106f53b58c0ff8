// The host itself, compared with what Envoy does, with small filters.
import { beforeAll, describe, expect, it } from "vitest";
import { HostError } from "../harness/host/abi.js";
import { compileFilter } from "../harness/builds/compile-filter.js";
import { HeaderMap } from "../harness/host/header-map.js";
import { Host } from "../harness/host/host.js";
import { GET, at } from "../harness/scenes/plain-requests.js";
import { Random } from "../harness/host/random.js";
import { interleave } from "../harness/host/schedule.js";
import { SharedData } from "../harness/host/shared-data.js";
import { suspendable } from "../harness/host/suspendable.js";

let counterWasm: Uint8Array;
let counter: WebAssembly.Module;
let misbehaves: WebAssembly.Module;
beforeAll(async () => {
  counterWasm = await compileFilter("shared-counter");
  counter = new WebAssembly.Module(counterWasm);
  misbehaves = new WebAssembly.Module(await compileFilter("misbehaves"));
}, 300_000);

describe("shared data", () => {
  const bytes = (text: string): Uint8Array => Buffer.from(text);

  it("an absent key is inserted with any cas, a present one only with the right one", () => {
    const shared = new SharedData();
    expect(shared.set("a", bytes("1"), 0xffffffff)).toBe(0);
    expect(shared.set("a", bytes("2"), 0xffffffff)).toBe(8);
    expect(Buffer.from(shared.get("a")?.value ?? []).toString()).toBe("1");
  });

  it("cas 0 overwrites blindly, empty values are kept, and cas counts over all keys", () => {
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
  it("a header that stands twice gives its first value", () => {
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
  it("a second VM runs between get and set of the first, whose cas fails once", () => {
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

  it("an update is lost to a blind overwrite when the race is forced", () => {
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

  it("a VM cannot be entered again while it runs", () => {
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

  it("interleaved VMs lose counts by blind overwrites, and none by compare-and-swap", () => {
    expect(count("/", 1).total).toBe(60);
    expect(count("/blind", 1).total).toBeLessThan(60);
  });

  it("a schedule is repeated from its seed", () => {
    expect(count("/", 7)).toEqual(count("/", 7));
    expect(count("/", 7).schedule).not.toEqual(count("/", 8).schedule);
  });
});

describe("a guest that misbehaves", () => {
  it("a guest that traps fails its VM for good, and the client gets 503", () => {
    const vm = new Host().startVm(misbehaves, "");
    expect(vm.request(at("/trap"))).toMatchObject({ state: "failed", status: 503 });
    expect(vm.failure).toBeInstanceOf(WebAssembly.RuntimeError);
    expect(vm.request(GET).status).toBe(503);
  });

  it("a guest that recurses without an end fails its VM", () => {
    const vm = new Host().startVm(misbehaves, "");
    expect(vm.request(at("/recurse")).status).toBe(503);
    expect(vm.failure).toBeDefined();
  });

  it("a guest gets 6 and no trap without room for the bytes, or outside its memory", () => {
    const envoy = new Host();
    const vm = envoy.startVm(misbehaves, "");
    expect(vm.request(at("/no-room")).status).toBe(200);
    expect(vm.request(at("/pointer")).status).toBe(200);
    expect(envoy.messages()).toEqual(["get 6", "set 6"]);
  });

  it("a guest that makes a host call inside the allocation callback breaks the test", () => {
    const vm = new Host().startVm(misbehaves, "");
    expect(() => vm.request(at("/calls-while-allocating"))).toThrow(HostError);
  });
});
