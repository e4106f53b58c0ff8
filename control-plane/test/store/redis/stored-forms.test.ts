// What a session's hash holds tells again exactly what was put into it.
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Session } from "../../../src/domain/session.js";
import type { FleetBudget } from "../../../src/domain/leases/fleet-budget.js";
import type { HeldRow } from "../../../src/domain/stored.js";
import { budgetIn, budgetText } from "../../../src/store/redis/stored-budget.js";
import { rowField, rowIn, rowText, sessionIn, sessionText } from "../../../src/store/redis/stored-forms.js";
import { sessionAt } from "../../support/sessions.js";

const number = fc.integer({ min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
const orNull = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: null });
const text = fc.string({ unit: "grapheme" });
const plain = { noNullPrototype: true };

const sessions: fc.Arbitrary<Session> = fc.record(
  {
    ...{ id: fc.uuid(), userId: text, orgId: text, createdAt: number, lastActivity: number },
    plan: fc.record({ id: number, name: text, maxTokens: number, lifetimeMs: number }, plain),
    tokens: fc.record({ issued: number, consumed: number }, plain),
    metadata: fc.record({ userAgent: orNull(text), ip: orNull(text), route: orNull(text) }, plain),
    ...{ revokedAt: orNull(number), issuer: text, idleEndedAt: number, aheadSince: number },
    ...{ order: number, announcedBudget: number },
  },
  {
    ...plain,
    requiredKeys: ["id", "userId", "orgId", "createdAt", "lastActivity", "plan", "tokens", "metadata", "revokedAt"],
  },
);

const instances = {
  edge: fc.string({ unit: "grapheme", minLength: 1 }),
  instance: fc.stringMatching(/^[0-9a-f]{16}$/),
};
const figures = fc.record(
  {
    ...{ rev: number, consumed: number, levelMicro: number, atMs: number, reportedAtMs: number },
    isLease: fc.constant(true as const),
    limits: fc.dictionary(text, fc.record({ levelMicro: number, atMs: number }, plain), plain),
  },
  { ...plain, requiredKeys: ["rev", "consumed", "levelMicro", "atMs", "reportedAtMs"] },
);
const bare = fc.record({ ...instances, acquiredAtMs: number, figures: orNull(figures) }, plain);
const rows: fc.Arbitrary<HeldRow> = fc
  .tuple(bare, fc.option(fc.array(bare, { minLength: 1, maxLength: 3 }), { nil: undefined }))
  .map(([row, remembered]) => (remembered === undefined ? row : { ...row, remembered }));

const amounts = fc.dictionary(text, number, plain);
const leases = fc.record(
  {
    ...{ ...instances, ask: number, unnumbered: fc.boolean(), untilMs: number, pacedUntilMs: number },
    ...{ granted: amounts, debtTaken: amounts, outstanding: amounts, want: amounts },
    at: number,
    refused: fc.record({ bucket: text, untilMs: number, need: number, sinceMs: number }, plain),
  },
  {
    ...plain,
    requiredKeys: [
      ...(["edge", "instance", "ask", "unnumbered", "untilMs", "pacedUntilMs"] as const),
      ...(["granted", "debtTaken", "outstanding", "want"] as const),
    ],
  },
);
const budgets: fc.Arbitrary<FleetBudget> = fc.record(
  {
    ...{ log: text, planId: number, atMs: number, wallMs: number, frozenUntilMs: number, forgottenAsk: number },
    levels: fc.dictionary(text, fc.record({ micro: number, remainder: number }, plain), plain),
    leases: fc.array(leases, { maxLength: 4 }),
  },
  plain,
);

describe("the forms of a session's hash", () => {
  it("any session is read from the hash as it was written", () => {
    fc.assert(
      fc.property(sessions, (session) => {
        expect(sessionIn(session.id, sessionText(session))).toStrictEqual(session);
      }),
    );
  });

  it("any instance's row is read from the hash as it was written", () => {
    fc.assert(
      fc.property(rows, (row) => {
        expect(rowIn(rowField(row), rowText(row))).toStrictEqual(row);
      }),
    );
  });

  it("any fleet budget is read from the hash as it was written", () => {
    fc.assert(
      fc.property(budgets, (budget) => {
        expect(budgetIn(budgetText(budget))).toStrictEqual(budget);
      }),
    );
  });

  it("what a later version stores beside a row or its figures stays there", () => {
    const later = fc.dictionary(
      fc.stringMatching(/^later[A-Z][a-z]*$/),
      fc.jsonValue({ noNullPrototype: true } as never),
      plain,
    );
    fc.assert(
      fc.property(rows, later, later, (row, ofRow, ofFigures) => {
        const figures = row.figures && { ...row.figures, ...ofFigures };
        const known = { ...row, ...ofRow, figures } as HeldRow;
        const read = rowIn(rowField(row), rowText(known));
        expect(JSON.parse(JSON.stringify(read))).toEqual(JSON.parse(JSON.stringify(known)));
      }),
    );
  });

  it("what the key, the field or the form says already is not in the hash again", () => {
    const session = sessionAt(1);
    expect(sessionText(session)).not.toContain(session.id);
    expect(sessionText(session)).not.toContain("userId");
    expect(rowText({ edge: "gateway", instance: "a".repeat(16), acquiredAtMs: 1, figures: null })).toBe("[1,null]");
  });
});
