// A folder for LMDB that goes with the test, as a place that is copied from and to.
import { randomBytes } from "node:crypto";

import { openLmdbSource, openLmdbTarget } from "../../src/store/lmdb/image.js";
import type { StorePlace } from "../contracts/copy-contract.js";
import { temporaryFolder } from "./process.js";
import { openStore } from "./temporary-store.js";

const random = { bytes: (n: number) => randomBytes(n) };

export function lmdbPlace(): StorePlace {
  const path = temporaryFolder();
  return {
    open: () => openStore(path),
    source: () => openLmdbSource(path, random),
    target: () => openLmdbTarget(path, random),
  };
}
