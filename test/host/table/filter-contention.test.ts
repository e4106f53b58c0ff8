// A set that other workers write again and again: after so many tries a worker gives up, and says so.
import { describe, expect, it } from "vitest";
import { endedAnswer, liveAnswer, policy } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { writesSet } from "../harness/scenes/host-call-matches.js";

const MAX_TRIES = 32;

/** An edge with a session in its table, whose set is written by others before each of the first `times` writes. */
function contended(onContention: string, times: number) {
  const edge = new Edge({ policy: policy({ onContention }) });
  const session = edge.sessionInTable({ tokens: 5 });
  let writes = 0;
  edge.host.hooks.each("before", writesSet(edge, edge.worker(0)), () => {
    writes += 1;
    if (writes <= times) edge.table.patch(session.id, (record) => record.writeUInt8(record.readUInt8(0), 0));
  });
  const counted = (name: string): number => {
    edge.flush();
    return edge.host.metrics.sum(name);
  };
  return { edge, session, writes: () => writes, counted };
}

describe("a request whose set others keep writing", () => {
  it.each([
    ["allow", 200],
    ["deny", 503],
  ])("a request gives up after 32 tries, as onContention %s says: %i", (onContention, status) => {
    const { edge, session, writes, counted } = contended(onContention, MAX_TRIES);
    expect(edge.send(session).status).toBe(status);
    expect(writes()).toBe(MAX_TRIES);
    expect(edge.table.record(session.id)).toMatchObject({ consumed: 1 });
    expect(counted("sluice_cas_exhausted_total")).toBe(1);
    expect(counted("sluice_cas_retries_total")).toBe(MAX_TRIES);
  });

  it("a request whose last try succeeds pays once, and counts as no failure", () => {
    const { edge, session, writes, counted } = contended("deny", MAX_TRIES - 1);
    expect(edge.send(session).status).toBe(200);
    expect(writes()).toBe(MAX_TRIES);
    expect(edge.table.record(session.id)).toMatchObject({ consumed: 2 });
    expect(counted("sluice_cas_exhausted_total")).toBe(0);
    expect(counted("sluice_cas_retries_total")).toBe(MAX_TRIES - 1);
  });
});

describe("an answer whose set others keep writing", () => {
  it.each([
    ["allow", "live", 200],
    ["deny", "live", 503],
    ["allow", "revoked", 200],
    ["deny", "revoked", 503],
  ])(
    "an answer gives up after 32 tries, as onContention %s says of a %s session: %i",
    (onContention, state, status) => {
      const { edge, session, counted } = contended(onContention, 2 * MAX_TRIES);
      edge.clock.advanceMs(60_001);
      const waiting = edge.send(session);
      edge.callout.answer(200, state === "live" ? liveAnswer() : endedAnswer("revoked"));
      expect(waiting.status).toBe(status);
      expect(counted("sluice_cas_exhausted_total")).toBeGreaterThanOrEqual(1);
    },
  );
});
