// What control planes have acknowledged: each of it has to be true in the end, whatever happened meanwhile.

export interface Revoked {
  readonly id: string;
  /** By `performance.now()`: when the answer was there. */
  readonly atMs: number;
}

/** A revocation of all sessions of a user. */
export interface BulkRevoked extends Revoked {
  /** Sessions of the user that were acknowledged before it was asked for. */
  readonly sessions: readonly string[];
}

const FAILED = "failed: ";

export class Recorder {
  /** 201: sessions. */
  readonly created = new Set<string>();
  /** 204, or 200 to one that waits, by session. */
  readonly revoked = new Map<string, Revoked>();
  /** 202. */
  readonly bulk: BulkRevoked[] = [];
  /** 200 to a change of plan: the new one, by session. */
  readonly plans = new Map<string, string>();
  /** 200 to an acquire: edges that hold the session since. */
  readonly held = new Map<string, Set<string>>();
  /** 200 to a report: what is reported last of a session, by edge. */
  readonly reported = new Map<string, Map<string, number>>();
  /** 200 to a consumption, and what was asked for, by session. */
  readonly consumed = new Map<string, { acknowledged: number; asked: number }>();
  /** Sessions that somebody has asked to revoke, answered or not. */
  readonly asked = new Set<string>();
  /** What was wrong as soon as it was answered. */
  readonly wrong: string[] = [];
  /** Answers of each kind, and failures. */
  readonly counts = new Map<string, number>();
  /** The longest time between two acknowledged writes, ms. */
  longestBreakMs = 0;
  private lastWriteMs: number | undefined;

  count(kind: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }

  /** A call that is to be repeated. 503 says so, and so does the network; whatever else fails is wrong. */
  failed(who: string, why: number | string): void {
    this.count(`${FAILED}${why}`);
    if (typeof why === "number" && why !== 503) this.wrong.push(`${who} was answered ${why}`);
  }

  /** Why calls failed: statuses, and what the network said. */
  failures(): string[] {
    return [...this.counts.keys()].filter((kind) => kind.startsWith(FAILED)).map((kind) => kind.slice(FAILED.length));
  }

  /** A write was acknowledged now. */
  wrote(kind: string): void {
    this.count(kind);
    const nowMs = performance.now();
    this.longestBreakMs = Math.max(this.longestBreakMs, nowMs - (this.lastWriteMs ?? nowMs));
    this.lastWriteMs = nowMs;
  }

  /** Whether the session's revocation had been acknowledged by then. */
  isRevokedBy(id: string, atMs: number): boolean {
    return (this.revoked.get(id)?.atMs ?? Infinity) < atMs;
  }

  /** 200 to an acquire that was sent then. */
  acquired(edge: string, id: string, state: string, sentMs: number): void {
    this.count(`acquire ${state}`);
    if (state === "live" && this.isRevokedBy(id, sentMs)) this.wrong.push(`${edge} acquired ${id}, which was revoked`);
    if (state === "unknown" && this.created.has(id)) this.wrong.push(`${edge} was told that there is no ${id}`);
    if (state === "live") this.held.set(id, (this.held.get(id) ?? new Set()).add(edge));
  }

  reportedBy(edge: string, id: string, consumed: number): void {
    this.wrote("report");
    const of = this.reported.get(id) ?? new Map<string, number>();
    this.reported.set(id, of.set(edge, Math.max(of.get(edge) ?? 0, consumed)));
  }

  /** All revocations of a session that were acknowledged: by itself, or with its user's. */
  revocations(): Revoked[] {
    const many = this.bulk.flatMap(({ sessions, atMs }) => sessions.map((id) => ({ id, atMs })));
    return [...this.revoked.values(), ...many];
  }
}

/** What became of a call that was not answered: as the network says it. */
export function networkFailure(error: unknown): string {
  const { code } = ((error as Error).cause ?? {}) as { readonly code?: string };
  return code ?? (error instanceof Error ? error.name : String(error));
}
