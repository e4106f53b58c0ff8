// A policy service over a store with sessions and the validator that the filter has too, and the file that a test saves.
import { vi } from "vitest";

import { PolicyService } from "../../src/app/policy/policy-service.js";
import type { Stores } from "../../src/app/ports/stores.js";
import { readPolicyDocument } from "../../src/domain/policy/read-policy.js";
import { MemoryStore } from "../../src/store/memory/store.js";
import { FixedClock } from "./fixed-clock.js";
import type { ManualTimers } from "./manual-timers.js";
import { HOUR_MS, sessionAt, STARTER } from "./sessions.js";
import { withVerbs } from "./store-verbs.js";

const GOLD = { ...STARTER, id: 1, name: "gold" };

interface OfPlan {
  readonly lifetime?: number;
  readonly maxAge?: number;
}

/** A document of the plans starter and gold, whose sessions live an hour where nothing else is said. */
export function documentOf(starter: OfPlan, gold: OfPlan = {}, rest = ""): string {
  const plans = [STARTER, GOLD].map(({ id, name }, at) => {
    const durations = { lifetime: HOUR_MS, maxAge: HOUR_MS, ...(at === 0 ? starter : gold) };
    return `  - ${JSON.stringify({ id, name, maxTokens: 100, tokenRefillRate: 10, ...durations })}`;
  });
  return `version: 1\nplans:\n${plans.join("\n")}\n${rest}`;
}

export const MINUTE_MS = 60_000;
/** An hour, as who takes the unit for seconds. */
export const WRONG_UNIT = documentOf({ lifetime: 3600 });

export class SavedPolicies {
  readonly clock = new FixedClock();
  readonly store: Stores;
  readonly lines: { readonly event: string; readonly level: string }[] = [];
  /** Whether what was read at the start needs no second look. */
  isTaken = true;
  private text = documentOf({});
  private changed: () => Promise<boolean> = () => Promise.resolve(true);
  private running: PolicyService | undefined;

  /** @param timers those of a control plane that shares the store with others */
  constructor(
    store: Stores = new MemoryStore(),
    private readonly timers?: ManualTimers,
  ) {
    this.store = store;
  }

  get service(): PolicyService {
    if (this.running === undefined) throw new Error("not started");
    return this.running;
  }

  /** As at a start of the process: what runs is stopped. */
  async start(text = this.text): Promise<this> {
    await this.running?.stop();
    this.text = text;
    const log = (level: string) => (fields: object) =>
      void this.lines.push({ level, ...(fields as { event: string }) });
    this.running = await PolicyService.start({
      source: {
        name: "policy.yaml",
        read: () => Promise.resolve(this.text),
        watch: (onChange, isTaken) => {
          this.isTaken = isTaken;
          this.changed = onChange;
          return () => undefined;
        },
      },
      validate: { readPolicyDocument },
      store: this.store.policies,
      audit: this.store.audit,
      sessions: this.store,
      operator: this.store.operator,
      clock: this.clock,
      shared: this.timers && { timers: this.timers, position: () => this.store.position() },
      logger: { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") },
    });
    return this;
  }

  /** Answers whether the service is done with this text. */
  save(text: string): Promise<boolean> {
    this.text = text;
    return this.changed();
  }

  /** A session that was made, and used last, so long ago. */
  async issued(ageMs: number, plan: "starter" | "gold" = "starter", ofUser = "u1"): Promise<string> {
    const session = sessionAt(this.clock.nowMs() - ageMs, plan === "gold" ? GOLD : STARTER, ofUser);
    await withVerbs(this.store).create(session);
    return session.id;
  }

  logged(event: string): object[] {
    return this.lines.filter((line) => line.event === event);
  }

  /** Generation in force, and what became of the file. */
  async state(): Promise<readonly [generation: number, source: string, sessions: number | undefined]> {
    const { inForce, source, held } = await this.service.status();
    return [inForce.generation, source.state, held?.ended.sessions];
  }

  async heldHash(): Promise<string> {
    return (await this.service.status()).held?.hash ?? "none is held";
  }

  async audited(): Promise<string[]> {
    return (await this.store.audit.auditBefore(undefined, 100))
      .map(({ actor, action }) => `${actor} ${action}`)
      .reverse();
  }
}

/** Started, with sessions of these ages, ms. */
export async function running(...ages: number[]): Promise<SavedPolicies> {
  const saved = await new SavedPolicies().start();
  for (const age of ages) await saved.issued(age);
  return saved;
}

/** The next count stands still in its first step until it may go on. */
export function heldUpCount({ store }: SavedPolicies) {
  const real = store.operator.sessionsBefore.bind(store.operator);
  const look = vi.spyOn(store.operator, "sessionsBefore");
  let goOn = (): void => undefined;
  const may = new Promise<void>((resolve) => (goOn = resolve));
  const begun = new Promise<void>((resolve) => {
    look.mockImplementationOnce(async (...asked) => {
      resolve();
      await may;
      return real(...asked);
    });
  });
  return {
    begun,
    look,
    goOn: () => {
      goOn();
    },
  };
}
