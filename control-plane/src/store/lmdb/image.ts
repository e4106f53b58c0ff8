// A store in LMDB as a copy reads and writes it (store/copy). While a copy into it is not finished its schema is one that
// no program takes, also none of an earlier version.
import { join } from "node:path";

import type { Random } from "../../app/ports/ports.js";
import { UnfitFile } from "../../files/regular-file.js";
import { keptPolicy, keptRevocation } from "../copy/kept-rows.js";
import type {
  CopyMark,
  ImageKind,
  ImagePage,
  ImageRows,
  SessionImage,
  StoreImage,
  TargetState,
} from "../copy/store-image.js";
import { fleetTimeRows, stateWithoutMark } from "../copy/store-image.js";
import { FLEET_TIME, fleetTimeIn } from "./fleet-time.js";
import { FolderLock } from "./folder-lock.js";
import { putRows } from "./image-rows.js";
import { openLayout, STORE_FILE } from "./layout.js";
import type { LmdbLayout } from "./layout.js";
import { beginStore, COPYING, prepareSchema } from "./schema.js";
import { isStoreAt, requireStoreOfLmdb } from "./store-file.js";
import { rangeOfSession, usageRows } from "./usage-rows.js";

/** A page ends early where its sessions have so many rows. */
const MAX_ROWS_OF_PAGE = 20_000;

interface Opened {
  readonly db: LmdbLayout;
  readonly lock: FolderLock;
  readonly random: Random;
}

/** Rejects where there is no store, or a control plane has it. An older one is brought to this schema first. */
export async function openLmdbSource(folder: string, random: Random): Promise<LmdbImage> {
  if (!isStoreAt(join(folder, STORE_FILE))) throw new UnfitFile(`there is no store in ${folder}`);
  return opened(folder, random, async (db) => {
    if (db.meta.get("schema") === undefined) throw new UnfitFile(`there is no store in ${folder}`);
    await prepareSchema(db, random);
  });
}

/** Rejects where a control plane has the folder. Makes the folder. */
export function openLmdbTarget(folder: string, random: Random): Promise<LmdbImage> {
  return opened(folder, random, () => Promise.resolve());
}

async function opened(
  folder: string,
  random: Random,
  prepare: (db: LmdbLayout) => Promise<unknown>,
): Promise<LmdbImage> {
  const lock = await FolderLock.take(folder, "copy");
  let db: LmdbLayout | undefined;
  try {
    requireStoreOfLmdb(join(folder, STORE_FILE));
    db = openLayout(folder, random);
    lock.takeStore();
    await prepare(db);
    return new LmdbImage({ db, lock, random });
  } catch (error) {
    await db?.env.close();
    lock.release();
    throw error;
  }
}

export class LmdbImage implements StoreImage {
  constructor(private readonly opened: Opened) {}

  fingerprint(): Promise<string> {
    const { env, meta } = this.opened.db;
    const { lastTxnId } = env.getStats() as { lastTxnId: number };
    return Promise.resolve(`${String(meta.get("log"))}/${lastTxnId}`);
  }

  count(kind: ImageKind): Promise<number> {
    if (kind === "fleetTime") return Promise.resolve(fleetTimeRows(fleetTimeIn(this.opened.db)).length);
    const { entryCount } = this.opened.db[kind].getStats() as { entryCount: number };
    return Promise.resolve(entryCount);
  }

  pages<Kind extends ImageKind>(kind: Kind, after: string | undefined, limit: number): Promise<ImagePage<Kind>> {
    return Promise.resolve(PAGES[kind](this.opened.db, after, limit));
  }

  state(): Promise<TargetState> {
    const mark = this.opened.db.meta.get("copy") as CopyMark | undefined;
    return mark === undefined ? stateWithoutMark(this) : Promise.resolve({ is: "begun", mark });
  }

  begin(mark: CopyMark): Promise<void> {
    const { meta, commits, invalidations, edgeStatus } = this.opened.db;
    return commits.run(() => {
      void meta.put("schema", COPYING);
      void meta.put("copy", mark);
      void meta.remove("metadataForgottenBefore");
      void meta.remove(FLEET_TIME);
      // Of a control plane that ran here and issued nothing.
      for (const key of [...invalidations.getKeys()]) void invalidations.remove(key);
      for (const key of [...edgeStatus.getKeys()]) void edgeStatus.remove(key);
    });
  }

  put<Kind extends ImageKind>(kind: Kind, rows: readonly ImageRows[Kind][], mark: CopyMark): Promise<void> {
    const { db } = this.opened;
    return db.commits.run(() => {
      putRows(db, kind, rows);
      void db.meta.put("copy", mark);
    });
  }

  finish(): Promise<void> {
    const { db, random } = this.opened;
    return db.commits.run(() => {
      beginStore(db, random);
      void db.meta.remove("copy");
    });
  }

  async close(): Promise<void> {
    await this.opened.db.env.close();
    this.opened.lock.release();
  }
}

type PagesOf = {
  readonly [Kind in ImageKind]: (db: LmdbLayout, after: string | undefined, limit: number) => ImagePage<Kind>;
};

const PAGES: PagesOf = {
  policies: ({ policies }, after, limit) =>
    pageOf(policies.getRange(rangeAfter(numberIn(after), limit)), limit, ({ value }) => keptPolicy(value)),
  audit: ({ audit }, after, limit) =>
    pageOf(audit.getRange(rangeAfter(numberIn(after), limit)), limit, ({ key, value }) => ({ number: key, ...value })),
  creationKeys: ({ creationKeys }, after, limit) =>
    pageOf(creationKeys.getRange(rangeAfter(after, limit)), limit, ({ key, value }) => ({ key, ...value })),
  revocations: ({ revocations }, after, limit) =>
    pageOf(revocations.getRange(rangeAfter(after, limit)), limit, ({ value }) => keptRevocation(value)),
  fleetTime: (db) => ({ rows: fleetTimeRows(fleetTimeIn(db)), next: undefined }),
  sessions: sessionPage,
};

function sessionPage(db: LmdbLayout, after: string | undefined, limit: number): ImagePage<"sessions"> {
  const page: SessionImage[] = [];
  let rowsOfPage = 0;
  for (const { key: id, value: session } of db.sessions.getRange(rangeAfter(after, limit))) {
    const rows = usageRows(db, id);
    const budget = db.leases.get(id);
    const consumed = [...db.consumptions.getRange(rangeOfSession(id))];
    const consumptionKeys = consumed.map(({ key: [, key], value }) => ({ key, ...value }));
    page.push({ session, rows, ...(budget && { budget }), consumptionKeys });
    rowsOfPage += rows.length;
    if (rowsOfPage >= MAX_ROWS_OF_PAGE) return { rows: page, next: id };
  }
  return { rows: page, next: page.length < limit ? undefined : page.at(-1)?.session.id };
}

const numberIn = (after: string | undefined): number | undefined => (after === undefined ? undefined : Number(after));
const rangeAfter = <Key>(after: Key | undefined, limit: number) =>
  after === undefined ? { limit } : { start: after, exclusiveStart: true, limit };

interface Entry<Key, Value> {
  readonly key: Key;
  readonly value: Value;
}

function pageOf<Key extends string | number, Value, Row>(
  range: Iterable<Entry<Key, Value>>,
  limit: number,
  rowOf: (entry: Entry<Key, Value>) => Row,
) {
  const found = [...range];
  return { rows: found.map(rowOf), next: found.length < limit ? undefined : String(found.at(-1)?.key) };
}
