// A store as a copy sees it: all that is to be kept of it, as pages of rows, whichever engine holds it.
import type { AuditEntry } from "../../app/ports/audit-ports.js";
import type { StoredPolicy } from "../../app/ports/ports.js";
import type { FleetBudget } from "../../domain/leases/fleet-budget.js";
import type { Session } from "../../domain/session.js";
import type { ConsumptionKey, CreationKey, HeldRow, StoredRevocation } from "../../domain/stored.js";

/** A session with all that goes with it. */
export interface SessionImage {
  readonly session: Session;
  readonly rows: readonly HeldRow[];
  readonly budget?: FleetBudget;
  readonly consumptionKeys: readonly (ConsumptionKey & { readonly key: string })[];
}

/**
 * What is copied, by kind. Positions in the invalidation log are left out: a copy begins a log of its own. Edge status is
 * not copied: edges say it anew.
 */
export interface ImageRows {
  readonly policies: Omit<StoredPolicy, "position">;
  readonly audit: AuditEntry;
  readonly creationKeys: CreationKey & { readonly key: string };
  readonly revocations: Omit<StoredRevocation, "log" | "cursor">;
  /** One row, and none where no control plane has raised it. */
  readonly fleetTime: { readonly ms: number };
  readonly sessions: SessionImage;
}

export type ImageKind = keyof ImageRows;

/** In the order in which they are copied: the many last. */
export const IMAGE_KINDS: readonly ImageKind[] = [
  ...(["policies", "audit", "creationKeys", "revocations", "fleetTime"] as const),
  "sessions",
];
/** Any control plane that runs raises it: a store in which nobody issued anything has it too. */
const HELD_KINDS = IMAGE_KINDS.filter((kind) => kind !== "fleetTime");

export const fleetTimeRows = (ms: number): readonly ImageRows["fleetTime"][] => (ms === 0 ? [] : [{ ms }]);

export interface ImagePage<Kind extends ImageKind> {
  readonly rows: readonly ImageRows[Kind][];
  /** Where the next page begins, in the engine's own words; undefined after the last one. */
  readonly next: string | undefined;
}

/** What can be read of a store that nobody writes. */
export interface StorePages {
  /**
   * Each row once, in an order that stays: one that is read again after `after` is what it was the first time.
   * @param after `next` of the page before; undefined: the first page
   * @param limit at most so many rows; a page may hold fewer, and others come after it if `next` says so
   */
  pages<Kind extends ImageKind>(kind: Kind, after: string | undefined, limit: number): Promise<ImagePage<Kind>>;
  /** How many rows of the kind there are, or nearly. */
  count(kind: ImageKind): Promise<number>;
}

/** Opened such that no control plane writes it. */
export interface CopySource extends StorePages {
  /** Of the store and its state: another one after any write. */
  fingerprint(): Promise<string>;
  close(): Promise<void>;
}

/** Of all rows of a kind, in whatever order. */
export interface KindDigest {
  readonly rows: number;
  /** The sum of the rows' SHA-256 modulo 2^256, in hex. A sum, since equal rows would cancel each other out of an XOR. */
  readonly sum: string;
}

export type DigestState = Readonly<Record<ImageKind, KindDigest>>;

/** A page: `after` is as `pages` takes it, null for the first one. */
export interface CopyPlace {
  readonly kind: ImageKind;
  readonly after: string | null;
}

/** How far a copy has come. It stands in the target, which is no store yet for as long. */
export interface CopyMark {
  /** The source's fingerprint. */
  readonly from: string;
  /** The page that is copied next; null: all are there. */
  readonly next: CopyPlace | null;
  /** Of what was read of the source so far. */
  readonly digest: DigestState;
}

/** used: it holds something that is no part of a copy. */
export type TargetState =
  | { readonly is: "empty" }
  | { readonly is: "used"; readonly holds: string }
  | { readonly is: "begun"; readonly mark: CopyMark };

/** Of a target in which no mark stands. */
export async function stateWithoutMark(target: Pick<StorePages, "count">): Promise<TargetState> {
  const held = await Promise.all(HELD_KINDS.map(async (kind) => [kind, await target.count(kind)] as const));
  const holds = held.flatMap(([kind, count]) => (count === 0 ? [] : [`${count} of ${kind}`]));
  return holds.length === 0 ? { is: "empty" } : { is: "used", holds: holds.join(", ") };
}

/** Opened such that no control plane takes it: neither while it is open, nor afterwards while a mark stands in it. */
export interface CopyTarget extends StorePages {
  state(): Promise<TargetState>;
  /** Of an empty one. Durable when it resolves, as are the others. */
  begin(mark: CopyMark): Promise<void>;
  /** Writes rows, with the indexes that follow from them, and then the mark. Rows that are there already are written again. */
  put<Kind extends ImageKind>(kind: Kind, rows: readonly ImageRows[Kind][], mark: CopyMark): Promise<void>;
  /** Takes the mark away and begins an invalidation log: from now on it is a store of this version. */
  finish(): Promise<void>;
  close(): Promise<void>;
}

/** An engine gives it for a store, whichever of the two it is to be. */
export type StoreImage = CopySource & CopyTarget;
