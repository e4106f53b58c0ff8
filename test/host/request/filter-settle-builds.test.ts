// The builds of the filter that settle nothing: what they reject, and what they lack.
import { describe, expect, it } from "vitest";
import { TICK_MS } from "../../../assembly/contract.js";
import { filterModule } from "../harness/builds/filter-modules.js";
import { policy } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { edgeFollowing, offer } from "../harness/scenes/policy-offer.js";
import { BY_HEADER, chat, chatter, settling, settlingEdge } from "../harness/scenes/settling.js";

describe("the other builds of the filter", () => {
  it("the other builds reject settings whose policy settles, and name the one that can", () => {
    for (const build of ["release", "lean"] as const) {
      const edge = new Edge({ module: filterModule(build), policy: settling(BY_HEADER) });
      expect(edge.worker(0).accepted).toBe(false);
      const file = build === "lean" ? "sluice-lean.wasm" : "sluice.wasm";
      expect(edge.host.messages("error").join()).toContain(
        `edge settings rejected: policy.routes[0].settle: ${file} has no callback for what a response says, ` +
          "expected null, or sluice-settle.wasm as the filter",
      );
    }
    expect(settlingEdge(settling(BY_HEADER)).worker(0).accepted).toBe(true);
  });

  it("a policy that settles is rejected by the full build, which goes on with the last one", () => {
    const edge = edgeFollowing(policy(), 1);
    const session = edge.sessionInTable({ tokens: 9 });
    edge.passMs(TICK_MS);
    offer(edge.watch, settling(BY_HEADER), { generation: 2 });
    edge.passMs(2 * TICK_MS);
    expect(edge.host.messages("error").join()).toMatch(
      /policy generation 2 rejected: routes\[0\]\.settle: sluice\.wasm /,
    );
    expect(edge.admitted(session, 20)).toBe(9);
    const settles = edgeFollowing(settling(BY_HEADER), 1, { module: filterModule("settle") });
    expect(chat(settles, chatter(settles)).state).toBe("upstream");
  });

  it("the other builds have no callback for a response's body, nor for its trailers", () => {
    const callbacks = (build: "release" | "lean" | "settle"): string[] =>
      WebAssembly.Module.exports(filterModule(build))
        .map(({ name }) => name)
        .filter((name) => /response_(body|trailers)/.test(name));
    expect(callbacks("release")).toEqual([]);
    expect(callbacks("lean")).toEqual([]);
    expect(callbacks("settle").sort()).toEqual(["proxy_on_response_body", "proxy_on_response_trailers"]);
  });
});
