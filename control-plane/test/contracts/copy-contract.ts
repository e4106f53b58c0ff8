// What a copy between stores must do, whatever the two are made of. An adapter's test calls this with places of stores.
import { expect, it } from "vitest";

import type { Stores } from "../../src/app/ports/stores.js";
import { copyStore } from "../../src/store/copy/copy-store.js";
import type { CopyOutcome } from "../../src/store/copy/copy-store.js";
import type {
  CopyMark,
  CopySource,
  CopyTarget,
  ImageKind,
  ImageRows,
  TargetState,
} from "../../src/store/copy/store-image.js";
import { filled, FILLED_AT_MS, whatIsIn } from "../support/filled-store.js";
import { sessionAt } from "../support/sessions.js";
import type { WithVerbs } from "../support/store-verbs.js";
import { raisedTo } from "../support/fleet-budgets.js";

/** Where a store is, or can be: one of these is open at a time. */
export interface StorePlace {
  /** As a control plane opens it. */
  readonly open: () => Promise<WithVerbs<Stores>>;
  readonly source: () => Promise<CopySource>;
  readonly target: () => Promise<CopyTarget>;
}

interface Places {
  readonly from: StorePlace;
  readonly to: StorePlace;
}

const PAGE_ROWS = 5;
const NO_LINES = (): void => undefined;

/** Takes a page in place of the target, which it is given. */
type TakesPage = <Kind extends ImageKind>(
  target: CopyTarget,
  kind: Kind,
  rows: readonly ImageRows[Kind][],
  mark: CopyMark,
) => Promise<void>;

const asItIs: TakesPage = (target, ...page) => target.put(...page);

/** Opens both, copies and closes both, whatever happens. */
async function copied({ from, to }: Places, take = asItIs): Promise<CopyOutcome> {
  const source = await from.source();
  try {
    const target = await to.target();
    try {
      const parts = { source, monotonicMs: () => 0, say: NO_LINES, pageRows: PAGE_ROWS };
      return await copyStore({ ...parts, target: takingPages(target, take) });
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

function takingPages(target: CopyTarget, take: TakesPage): CopyTarget {
  return {
    count: (kind) => target.count(kind),
    pages: (...asked) => target.pages(...asked),
    state: () => target.state(),
    begin: (mark) => target.begin(mark),
    put: (...page) => take(target, ...page),
    finish: () => target.finish(),
    close: () => target.close(),
  };
}

/** Fails the `nth` page, which the target has taken where `isWritten`. Whether there are so many. */
async function interrupted(places: Places, nth: number, isWritten: boolean): Promise<boolean> {
  let pages = 0;
  const fails: TakesPage = async (target, ...page) => {
    pages += 1;
    if (pages < nth || isWritten) await target.put(...page);
    if (pages >= nth) throw new Error("interrupted");
  };
  return copied(places, fails).then(
    () => false,
    () => true,
  );
}

async function stateOf(place: StorePlace): Promise<TargetState> {
  const target = await place.target();
  try {
    return await target.state();
  } finally {
    await target.close();
  }
}

const using = async <Answer>(
  place: StorePlace,
  use: (store: WithVerbs<Stores>) => Promise<Answer>,
): Promise<Answer> => {
  const store = await place.open();
  try {
    return await use(store);
  } finally {
    await store.close();
  }
};

/** `places` gives two places without a store, and sees to their end. */
export function copyContract(places: () => Places): void {
  it("a copy holds every session, row, key, policy, revocation and audit entry", async () => {
    const { from, to } = places();
    await using(from, filled);
    expect(await copied({ from, to })).toMatchObject({ ok: true, resumed: false });
    const was = await using(from, whatIsIn);
    expect(was.sessions.length).toBeGreaterThan(2 * PAGE_ROWS);
    expect(await using(to, whatIsIn)).toEqual(was);
  });

  it("a copy begins a log of its own, in which nothing stands", async () => {
    const { from, to } = places();
    const was = await using(from, async (store) => {
      await filled(store);
      return store.position();
    });
    await copied({ from, to });
    const is = await using(to, (store) => store.position());
    expect(was.cursor).toBeGreaterThan(0);
    expect(is).toEqual({ log: expect.not.stringMatching(was.log) as string, cursor: 0 });
  });

  it("a bulk revocation that was under way goes on in the copy", async () => {
    const { from, to } = places();
    await using(from, filled);
    await copied({ from, to });
    await using(to, async (store) => {
      const [id = ""] = await store.revocations.unfinished();
      const before = await store.revocations.find(id);
      expect(before).toMatchObject({ examined: 1, finishedAt: null });
      await store.revocations.expand(id, 100, FILLED_AT_MS + 50);
      const after = await store.revocations.find(id);
      expect(after?.examined).toBeGreaterThan(1);
      expect(after?.finishedAt).toBe(FILLED_AT_MS + 50);
      expect((await store.position()).cursor).toBeGreaterThan(0);
    });
  });

  it("sessions that had ended are forgotten in the copy as they would be in the source", async () => {
    const { from, to } = places();
    await using(from, filled);
    await copied({ from, to });
    await using(to, async (store) => {
      expect(await store.usage.removeEnded(FILLED_AT_MS + 1000, 100)).toBe(3);
      expect(await store.usage.removeEnded(FILLED_AT_MS + 1000, 100)).toBe(0);
    });
  });

  it.each([false, true])(
    "a copy ended at any page, with that page written: %s, goes on and is whole",
    async (written) => {
      const { from } = places();
      await using(from, filled);
      const was = await using(from, whatIsIn);
      for (let nth = 1; ; nth++) {
        const { to } = places();
        const goesOn = await interrupted({ from, to }, nth, written);
        if (!goesOn) {
          expect(nth).toBeGreaterThan(6);
          break;
        }
        expect(await copied({ from, to })).toMatchObject({ ok: true, resumed: true });
        expect(await using(to, whatIsIn)).toEqual(was);
      }
    },
  );

  it("a second run goes on after the last page, and reads nothing before it again", async () => {
    const { from, to } = places();
    await using(from, filled);
    await interrupted({ from, to }, 6, true);
    const put: string[] = [];
    const state = await stateOf(to);
    const { next } = state.is === "begun" ? state.mark : { next: null };
    await copied({ from, to }, (target, kind, ...page) => {
      put.push(kind);
      return target.put(kind, ...page);
    });
    expect(next).not.toBeNull();
    expect(put[0]).toBe(next?.kind);
    expect(put).not.toContain("policies");
  });

  it("a target that holds a session already is left as it is", async () => {
    const { from, to } = places();
    const session = sessionAt(FILLED_AT_MS);
    await using(from, filled);
    await using(to, (store) => store.create(session));
    expect(await copied({ from, to })).toEqual({
      ok: false,
      reason: "the target is not empty: it holds 1 of sessions",
    });
    expect(await using(to, (store) => store.find(session.id))).toEqual(session);
  });

  it("a target of which a copy is done is not copied into again", async () => {
    const { from, to } = places();
    await using(from, filled);
    await copied({ from, to });
    expect(await copied({ from, to })).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/not empty/) as string,
    });
  });

  it("a store in which a control plane ran and issued nothing counts as empty", async () => {
    const { from, to } = places();
    await using(from, filled);
    const { log } = await using(to, async (store) => {
      await raisedTo(store, 999_999_999);
      return store.position();
    });
    expect(await copied({ from, to })).toMatchObject({ ok: true });
    expect(await using(to, whatIsIn)).toEqual(await using(from, whatIsIn));
    expect(log).not.toBe("");
  });

  it("a copy's life begins by the fleet clock and with the sessions that it brings", async () => {
    const { from, to } = places();
    const session = sessionAt(FILLED_AT_MS);
    await using(from, async (store) => {
      await store.create(session);
      await raisedTo(store, 5555);
    });
    expect(await copied({ from, to })).toMatchObject({ ok: true });
    const { life } = await using(to, (store) => store.usage.look(session.id));
    expect(life).toStrictEqual({ beganMs: 5555, newestId: session.id, fleetMs: 5555 });
  });

  it("a fleet clock that a target had alone does not stay in the copy", async () => {
    const { from, to } = places();
    await using(from, (store) => store.create(sessionAt(FILLED_AT_MS)));
    await using(to, (store) => raisedTo(store, 5));
    expect(await copied({ from, to })).toMatchObject({ ok: true });
    expect((await using(to, (store) => store.fleetTime.read())).ms).toBe(0);
  });

  it("an unfinished copy is not gone on with once the fleet clock was raised", async () => {
    const { from, to } = places();
    await using(from, filled);
    await interrupted({ from, to }, 4, true);
    await using(from, (store) => raisedTo(store, 999_999_999));
    expect(await copied({ from, to })).toMatchObject({ ok: false });
  });

  it("an unfinished copy is not gone on with once the source was written", async () => {
    const { from, to } = places();
    await using(from, filled);
    await interrupted({ from, to }, 4, true);
    await using(from, (store) => store.create(sessionAt(FILLED_AT_MS)));
    expect(await copied({ from, to })).toEqual({
      ok: false,
      reason:
        "the target holds a part of a copy of another store, or of this one before it was written again; " +
        "empty the target, and begin anew",
    });
  });

  it("a source that was only opened meanwhile is gone on with", async () => {
    const { from, to } = places();
    await using(from, filled);
    await interrupted({ from, to }, 4, true);
    await using(from, (store) => store.find(sessionAt(FILLED_AT_MS).id));
    expect(await copied({ from, to })).toMatchObject({ ok: true, resumed: true });
  });

  it("a target that lost a session is told from the source, and is no store", async () => {
    const { from, to } = places();
    await using(from, filled);
    let loses = true;
    const outcome = await copied({ from, to }, (target, kind, rows, mark) => {
      const kept = loses && kind === "sessions" ? rows.slice(1) : rows;
      loses &&= kind !== "sessions";
      return target.put(kind, kept, mark);
    });
    expect(outcome).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/^the copy is not what was read: /) as string,
    });
    expect((await stateOf(to)).is).toBe("begun");
  });
}
