// Copies a store into another one, page by page, goes on where an earlier run ended, and compares the two at the end.
import { checksum, difference, NOTHING_READ, withRows } from "./digest.js";
import { Progress } from "./progress.js";
import { IMAGE_KINDS } from "./store-image.js";
import type {
  CopyMark,
  CopyPlace,
  CopySource,
  CopyTarget,
  DigestState,
  ImageKind,
  ImagePage,
  StorePages,
} from "./store-image.js";

/** Rows in a page: one commit of the target. */
const PAGE_ROWS = 1000;

export interface CopyParts {
  readonly source: CopySource;
  readonly target: CopyTarget;
  readonly monotonicMs: () => number;
  /** What is to be said while it goes on. */
  readonly say: (line: string) => void;
  readonly pageRows?: number;
}

export type CopyOutcome =
  | { readonly ok: true; readonly copied: DigestState; readonly checksum: string; readonly resumed: boolean }
  | { readonly ok: false; readonly reason: string };

/**
 * Nothing of the source is changed. Interrupted at any moment, the target is no store, and the next call goes on after
 * its last page. Rejects as the two stores do.
 */
export async function copyStore(parts: CopyParts): Promise<CopyOutcome> {
  const from = await parts.source.fingerprint();
  const begun = await beginning(parts.target, from);
  if (typeof begun === "string") return { ok: false, reason: begun };
  const { mark, resumed } = begun;
  if (resumed) parts.say(`going on with a copy that was begun: ${mark.digest.sessions.rows} sessions are there`);
  const copied = await copyFrom(mark, parts);
  const found = await readAgain(copied, parts);
  const differs = difference(copied, found);
  if (differs !== undefined) return { ok: false, reason: `the copy is not what was read: ${differs}; ${BEGIN_ANEW}` };
  if ((await parts.source.fingerprint()) !== from) {
    return { ok: false, reason: `the source was written meanwhile; ${BEGIN_ANEW}` };
  }
  await parts.target.finish();
  return { ok: true, copied, checksum: checksum(copied), resumed };
}

const BEGIN_ANEW = "empty the target, and begin anew";

type Beginning = { readonly mark: CopyMark; readonly resumed: boolean };

/** A sentence where nothing may be copied there. */
async function beginning(target: CopyTarget, from: string): Promise<Beginning | string> {
  const state = await target.state();
  if (state.is === "used") return `the target is not empty: it holds ${state.holds}`;
  if (state.is === "begun") {
    if (state.mark.from === from) return { mark: state.mark, resumed: true };
    return `the target holds a part of a copy of another store, or of this one before it was written again; ${BEGIN_ANEW}`;
  }
  const mark: CopyMark = { from, next: firstOf(IMAGE_KINDS[0]), digest: NOTHING_READ };
  await target.begin(mark);
  return { mark, resumed: false };
}

/** Answers the digest of all that was read of the source, in this run and those before. */
async function copyFrom(mark: CopyMark, parts: CopyParts): Promise<DigestState> {
  const { source, target, monotonicMs, say, pageRows = PAGE_ROWS } = parts;
  const { sessions } = mark.digest;
  const progress = new Progress("copied", sessions.rows, await source.count("sessions"), monotonicMs, say);
  let { digest, next } = mark;
  while (next !== null) {
    const { kind, after } = next;
    const page: ImagePage<ImageKind> = await source.pages(kind, after ?? undefined, pageRows);
    digest = withRows(digest, kind, page.rows);
    next = page.next === undefined ? firstOf(kindAfter(kind)) : { kind, after: page.next };
    await target.put(kind, page.rows, { from: mark.from, next, digest });
    progress.at(digest.sessions.rows);
  }
  return digest;
}

const firstOf = (kind: ImageKind | undefined): CopyPlace | null => (kind === undefined ? null : { kind, after: null });
const kindAfter = (kind: ImageKind): ImageKind | undefined => IMAGE_KINDS[IMAGE_KINDS.indexOf(kind) + 1];

async function readAgain(copied: DigestState, parts: CopyParts): Promise<DigestState> {
  const progress = new Progress("verified", 0, copied.sessions.rows, parts.monotonicMs, parts.say);
  let digest = NOTHING_READ;
  for (const kind of IMAGE_KINDS) {
    for await (const rows of allPages(parts.target, kind, parts.pageRows ?? PAGE_ROWS)) {
      digest = withRows(digest, kind, rows);
      progress.at(digest.sessions.rows);
    }
  }
  return digest;
}

/** Every row of a kind, page by page. */
async function* allPages<Kind extends ImageKind>(store: StorePages, kind: Kind, limit: number) {
  let after: string | undefined;
  do {
    const { rows, next } = await store.pages(kind, after, limit);
    yield rows;
    after = next;
  } while (after !== undefined);
}
