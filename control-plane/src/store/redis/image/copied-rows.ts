// Rows of a copy, as operations of the script that writes them: each with the indexes that follow from it.
import type { ImageKind, ImageRows, SessionImage } from "../../copy/store-image.js";
import { KEYS } from "../keys.js";
import type { Operation } from "../writing/commits.js";
import { keptCreationKey } from "../writing/creation-keys.js";
import { keptConsumptionKey, keptRevocation, operationsOf } from "../writing/write-changes.js";

type OperationsOf = { readonly [Kind in ImageKind]: (row: ImageRows[Kind]) => readonly Operation[] };

const OPERATIONS: OperationsOf = {
  policies: (policy) => [["HSET", KEYS.policies, String(policy.generation), JSON.stringify(policy)]],
  audit: ({ number, ...event }) => [["AUDIT", String(number), JSON.stringify(event)]],
  creationKeys: ({ key, ...made }) => keptCreationKey(key, made),
  revocations: keptRevocation,
  fleetTime: ({ ms }) => [["SET", KEYS.copiedTime, String(ms)]],
  sessions: sessionOperations,
};

export const copiedOperations = <Kind extends ImageKind>(
  kind: Kind,
  rows: readonly ImageRows[Kind][],
): readonly Operation[] => rows.flatMap((row) => OPERATIONS[kind](row));

function sessionOperations({ session, rows, budget, consumptionKeys }: SessionImage): readonly Operation[] {
  const { id } = session;
  return [
    ...operationsOf({
      sessions: [{ before: null, after: session }],
      rows: rows.map((row) => ({ ...row, sessionId: id })),
      budgets: budget === undefined ? [] : [{ sessionId: id, budget }],
    }),
    ...consumptionKeys.flatMap(({ key, ...consumed }) => keptConsumptionKey(id, key, consumed)),
  ];
}
