// The host's callouts, and how they and their root end at a new configuration, compared with what Envoy does.
import { beforeAll, describe, expect, it } from "vitest";
import { compileFilter } from "../harness/builds/compile-filter.js";
import { Host } from "../harness/host/host.js";
import { GET, at } from "../harness/scenes/plain-requests.js";

let asksFirst: WebAssembly.Module;
beforeAll(async () => {
  asksFirst = new WebAssembly.Module(await compileFilter("asks-first"));
}, 300_000);

describe("callouts", () => {
  it("a callout continues a paused request when the answer's stream is made effective", () => {
    const envoy = new Host();
    const stream = envoy.startVm(asksFirst, "one").request(at("/a"));
    expect(stream.paused).toBe(true);
    const [callout] = envoy.pendingCallouts;
    expect(callout).toMatchObject({ cluster: "asked", timeoutMs: 250, json: { about: "/a" } });
    callout?.answer(200, "body");
    expect(stream).toMatchObject({ status: 200, reachedUpstream: true, paused: false });
    expect(envoy.messages()).toContain("answer 200 1 body");
  });

  it("a callout leaves the stream hanging when the effective context was not set", () => {
    const envoy = new Host();
    const stream = envoy.startVm(asksFirst, "").request(GET);
    envoy.pendingCallouts[0]?.answer(418);
    expect(stream.paused).toBe(true);
    expect(envoy.messages()).toContain("continue 0");
  });

  it("a client that left makes its context give status 2", () => {
    const envoy = new Host();
    const stream = envoy.startVm(asksFirst, "").request(GET);
    stream.abandon();
    envoy.pendingCallouts[0]?.answer(403);
    expect(envoy.messages()).toContain("effective 2");
    expect(stream.local).toBeUndefined();
  });

  it("a timeout comes as 504, a refused connection as 503, a reset without headers", () => {
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

  it("a callout without headers, a known cluster or a healthy host fails at once", () => {
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

  it("a local answer passes through the filter's own response callback", () => {
    const envoy = new Host();
    const stream = envoy.startVm(asksFirst, "one").request(GET);
    envoy.pendingCallouts[0]?.answer(403);
    expect(stream.local).toMatchObject({ status: 403, body: "no" });
    expect(stream.responseHeaders?.get("x-configuration")).toBe("one");
  });
});

describe("configurations", () => {
  it("an old root is kept until its last stream is gone, then ended", () => {
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

  it("the old configuration is kept when the new one is rejected", () => {
    const envoy = new Host();
    const vm = envoy.startVm(asksFirst, "one");
    expect(vm.configure("bad")).toBe(false);
    const stream = vm.request(GET);
    expect(stream.root.id).toBe(1);
    expect(vm.roots()).toHaveLength(1);
  });

  it("a root that goes has its callouts cancelled", () => {
    const envoy = new Host();
    const vm = envoy.startVm(asksFirst, "one");
    vm.request(GET).abandon();
    vm.configure("two");
    expect(envoy.callouts[0]?.state).toBe("cancelled");
  });
});
