// What it takes a worker to read a policy, in instructions: while it does, its requests wait, and past TRY_DEADLINE_MS it is
// taken to have trapped.
import { expect, it } from "vitest";
import { MAX_ROUTES, MAX_ROUTE_HEADERS, MAX_ROUTE_METHODS } from "../../assembly/contract.js";
import { filterBytes } from "../host/harness/builds/filter-modules.js";
import { policy, type PolicyDocument } from "../host/harness/scenes/documents.js";
import { Edge } from "../host/harness/scenes/edge.js";
import { INSTRUCTIONS, countingInstructions } from "./instruction-counter.js";

/**
 * Half a second of a worker, at three instructions a nanosecond. It takes 1.09 thousand million, most of them to read and
 * check half a MB of JSON; where each two routes were compared, it took 25 times as many.
 */
const MAX_INSTRUCTIONS = 1_500_000_000;

function instructionsToRead(routes: readonly PolicyDocument[]): number {
  const module = new WebAssembly.Module(countingInstructions(filterBytes("release")));
  const vm = new Edge({ module, policy: policy() }).addWorker(
    JSON.stringify({ version: 1, policy: policy({ routes }) }),
  );
  expect(vm.accepted).toBe(true);
  return vm.guest.global(INSTRUCTIONS).value;
}

it("the most routes with the most methods and headers, for one path, are read in bounded work", () => {
  const methods = Array.from({ length: MAX_ROUTE_METHODS }, (_, index) => `M${index}`);
  const more = Array.from({ length: MAX_ROUTE_HEADERS - 1 }, (_, index) => ({ name: `x-more-${index}`, value: "yes" }));
  const routes = Array.from({ length: MAX_ROUTES }, (_, index) => ({
    match: { methods, headers: [...more, { name: "x-tenant", value: `tenant-${index}` }] },
  }));
  expect(instructionsToRead(routes)).toBeLessThan(MAX_INSTRUCTIONS);
});
