// The engine of the tests as a copy reads and writes it.
import { instanceKey } from "../../domain/stored.js";
import { checksum, NOTHING_READ, withRows } from "../copy/digest.js";
import { keptPolicy, keptRevocation } from "../copy/kept-rows.js";
import { fleetTimeRows, IMAGE_KINDS, stateWithoutMark } from "../copy/store-image.js";
import type { CopyMark, ImageKind, ImagePage, ImageRows, StoreImage, TargetState } from "../copy/store-image.js";
import type { MemoryEngine } from "./engine.js";
import type { MemoryPolicies } from "./policies.js";
import { recordOf } from "./records.js";

type Rows = { readonly [Kind in ImageKind]: readonly ImageRows[Kind][] };
type PutOf = { readonly [Kind in ImageKind]: (row: ImageRows[Kind]) => void };

export class MemoryImage implements StoreImage {
  private mark: CopyMark | undefined;

  constructor(
    private readonly engine: MemoryEngine,
    private readonly policies: MemoryPolicies,
  ) {}

  fingerprint(): Promise<string> {
    const rows = this.rows();
    const digest = IMAGE_KINDS.reduce((state, kind) => withRows(state, kind, rows[kind]), NOTHING_READ);
    return Promise.resolve(`${this.engine.log.now().log}/${checksum(digest)}`);
  }

  count(kind: ImageKind): Promise<number> {
    return Promise.resolve(this.rows()[kind].length);
  }

  pages<Kind extends ImageKind>(kind: Kind, after: string | undefined, limit: number): Promise<ImagePage<Kind>> {
    const rows: readonly ImageRows[Kind][] = this.rows()[kind];
    const from = after === undefined ? 0 : Number(after);
    const to = from + limit;
    return Promise.resolve({ rows: rows.slice(from, to), next: to < rows.length ? String(to) : undefined });
  }

  state(): Promise<TargetState> {
    return this.mark === undefined ? stateWithoutMark(this) : Promise.resolve({ is: "begun", mark: this.mark });
  }

  begin(mark: CopyMark): Promise<void> {
    this.mark = mark;
    this.engine.fleetTime.ms = 0;
    return Promise.resolve();
  }

  put<Kind extends ImageKind>(kind: Kind, rows: readonly ImageRows[Kind][], mark: CopyMark): Promise<void> {
    const put = this.puts()[kind];
    for (const row of rows) put(row);
    this.mark = mark;
    return Promise.resolve();
  }

  finish(): Promise<void> {
    this.mark = undefined;
    this.engine.beginLife();
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private rows(): Rows {
    const { sessions, creationKeys, revocations } = this.engine;
    return {
      policies: this.policies.all().map(keptPolicy),
      audit: this.engine.auditEntries(),
      creationKeys: [...creationKeys].map(([key, made]) => ({ key, ...made })),
      revocations: [...revocations.values()].map(keptRevocation),
      fleetTime: fleetTimeRows(this.engine.fleetTime.ms),
      sessions: [...sessions.values()].map((stored) => ({
        ...recordOf(stored),
        consumptionKeys: [...stored.consumptionKeys].map(([key, consumed]) => ({ key, ...consumed })),
      })),
    };
  }

  private puts(): PutOf {
    const { sessions, creationKeys, revocations, audit } = this.engine;
    return {
      policies: (policy) => {
        this.policies.put({ ...policy, position: null });
      },
      audit: ({ number, ...event }) => {
        if (audit.length === 0) this.engine.auditDropped = number - 1;
        audit[number - this.engine.auditDropped - 1] = event;
      },
      creationKeys: ({ key, ...made }) => void creationKeys.set(key, made),
      revocations: (operation) => void revocations.set(operation.id, operation),
      fleetTime: ({ ms }) => void (this.engine.fleetTime.ms = ms),
      sessions: ({ session, rows, budget, consumptionKeys }) => {
        const keys = consumptionKeys.map(({ key, ...consumed }) => [key, consumed] as const);
        const byInstance = new Map(rows.map((row) => [instanceKey(row), row]));
        const parts = { session, rows: byInstance, consumptionKeys: new Map(keys) };
        sessions.set(session.id, { ...parts, ...(budget && { budget }) });
      },
    };
  }
}
