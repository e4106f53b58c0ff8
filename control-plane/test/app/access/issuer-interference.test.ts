// No sequence of calls lets an issuer learn or change anything of another's sessions: its answers are those of a control
// plane that has no others, and the others' sessions stay as they are.
import fc from "fast-check";
import { expect, it } from "vitest";

import { ADMIN_TOKEN, startTestControlPlane } from "../../support/control-plane.js";
import type { Answer, Created, TestControlPlane } from "../../support/control-plane.js";
import { issuersOf } from "../../support/issuers.js";
import { METERED, STARTER } from "../../support/sessions.js";

const [LOGIN, APP] = ["the-token-of-login", "the-token-of-app-1"];
const PLANS = [
  STARTER,
  METERED,
  { ...STARTER, id: 2, name: "two", maxSessionsPerUser: 2 },
  { ...STARTER, id: 3, name: "newest", maxSessionsPerUser: 1, onMaxSessions: "removeOldest" as const },
];
const MISSING = "019b76da-a800-7000-8000-000000000000";

interface Call {
  readonly who: "login" | "app" | "operator";
  readonly method: string;
  readonly path: string;
  /** Of which session, where the path has an `{id}`: the caller's own, or one of the others'. */
  readonly whose: "own" | "others";
  readonly index: number;
  readonly body?: object;
  readonly key?: string | undefined;
  readonly onward: boolean;
}

const request = fc.record({
  userId: fc.constantFrom("u1", "u1", "u2"),
  orgId: fc.constantFrom("o1", "o2"),
  plan: fc.constantFrom("starter", "metered", "two", "newest", "newest"),
});
const filter = fc.constantFrom(
  "",
  "userId=u1",
  "orgId=o1",
  "state=live",
  "plan=two&state=live",
  "issuer=app",
  "state=revoked",
);
const path = fc.oneof(
  { weight: 6, arbitrary: fc.constant("POST /v1/sessions") },
  {
    weight: 4,
    arbitrary: fc
      .tuple(filter, fc.integer({ min: 1, max: 3 }))
      .map(([by, limit]) => `GET /v1/sessions?limit=${limit}&${by}`),
  },
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      ...["GET /v1/sessions/{id}", "GET /v1/sessions/{id}/usage", "GET /v1/sessions/{id}/bucket"],
      ...["DELETE /v1/sessions/{id}", "DELETE /v1/sessions/{id}?wait=0"],
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ...["PATCH /v1/sessions/{id}", "POST /v1/sessions/{id}/token", "POST /v1/sessions/{id}/consume"],
      ...["DELETE /v1/sessions?userId=u1", "GET /v1/audit", "GET /v1/edges"],
    ),
  },
);
const call = fc
  .record({
    who: fc.constantFrom("login" as const, "login" as const, "app" as const, "operator" as const),
    route: path,
    whose: fc.constantFrom("own" as const, "others" as const),
    index: fc.nat(5),
    body: request,
    key: fc.constantFrom("k1", "k2", ...Array<undefined>(10).fill(undefined)),
    onward: fc.boolean(),
  })
  .map(({ route, body, ...rest }): Call => {
    const [method = "", at = ""] = route.split(" ");
    return { ...rest, method, path: at, ...(method === "POST" || method === "PATCH" ? { body } : {}) };
  });

const SHOW: Call = {
  who: "operator",
  method: "GET",
  path: "/v1/sessions/{id}",
  whose: "others",
  index: 0,
  onward: false,
};

/** A control plane, and what a caller there has got so far. */
class Installation {
  readonly own: string[] = [];
  readonly others: string[] = [];
  private cursor: string | null = null;

  constructor(readonly plane: TestControlPlane) {}

  static async start(): Promise<Installation> {
    const issuers = issuersOf({ name: "login", token: LOGIN }, { name: "app", token: APP });
    const plane = await startTestControlPlane(undefined, { issuers });
    plane.setPlans(...PLANS);
    return new Installation(plane);
  }

  /** What the issuer `login` sees: its own ids as their numbers, and cursors as whether there is one. */
  async byLogin(one: Call): Promise<object> {
    const { answer, text } = await this.send(one, LOGIN, one.whose === "own" ? this.own : this.others);
    if (answer.status === 201) {
      const { id } = (answer.body as Created).session;
      if (!this.own.includes(id)) this.own.push(id);
    }
    const isList = one.method === "GET" && one.path.startsWith("/v1/sessions?");
    if (isList && answer.status === 200) this.cursor = (answer.body as { cursor: string | null }).cursor;
    const named = this.own.reduce((said, id, index) => said.replaceAll(id, `own-${index}`), text);
    const without = named.replace(/"token":"[^"]+"/, '"token"').replace(/"cursor":"[^"]+"/, '"cursor"');
    return { status: answer.status, text: without, replayed: answer.headers.get("idempotent-replayed") };
  }

  /** Whoever revokes everyone's sessions may end the issuer's too: that is left out. */
  async byOthers(one: Call): Promise<void> {
    if (one.path.startsWith("/v1/sessions?userId")) return;
    const { answer } = await this.send(one, one.who === "app" ? APP : ADMIN_TOKEN, this.others);
    if (answer.status === 201) this.others.push((answer.body as Created).session.id);
  }

  /** Each session that the issuer `login` did not issue, as an operator sees it. */
  async stateOfOthers(): Promise<string[]> {
    const shown = this.others.map(async (id) => (await this.send(SHOW, ADMIN_TOKEN, [id])).text);
    return Promise.all(shown);
  }

  private async send(one: Call, token: string, ids: readonly string[]): Promise<{ answer: Answer; text: string }> {
    const id = ids[one.index % Math.max(1, ids.length)] ?? MISSING;
    const onward = one.onward && this.cursor !== null && one.path.includes("limit=") ? `&cursor=${this.cursor}` : "";
    const path = (one.path.replace("{id}", id) + onward).replace("&&", "&").replace(/&$/, "");
    const more = { "x-request-id": "the-same", ...(one.key !== undefined && { "idempotency-key": one.key }) };
    const answer = await this.plane.call(one.method, path, one.body, token, more);
    return { answer, text: answer.text };
  }
}

it("an issuer's answers are those of a control plane without others, which stay as they are", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 10, maxLength: 40 }), async (calls) => {
      const [shared, alone] = [await Installation.start(), await Installation.start()];
      for (const one of calls) {
        if (one.who !== "login") await shared.byOthers(one);
        else {
          const before = await shared.stateOfOthers();
          expect(await shared.byLogin(one), JSON.stringify(one)).toEqual(await alone.byLogin(one));
          expect(await shared.stateOfOthers()).toEqual(before);
        }
      }
      await Promise.all([shared, alone].map(({ plane }) => plane.app.close()));
    }),
    // A shorter counterexample would take minutes to find.
    { numRuns: 10, endOnFailure: true },
  );
}, 300_000);
