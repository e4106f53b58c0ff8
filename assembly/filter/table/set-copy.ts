// A set copied out of the arena, for work that reads something else before it writes the set back.
import { SET_BYTES } from "../../contract";
import { sharedCas, sharedValue } from "../../host/shared-data";
import { OK } from "../../host/status";
import { Table } from "../state/table";
import { lastSetIndex, readSet, readSetAt, writeSetAt } from "./session-table";

const copy: usize = memory.data(1280, 8);
let index: u32 = 0;
let cas: u32 = 0;

export class SetCopy {
  /** The copy of the session's set, or 0 if the table does not have it. There is one copy at a time. */
  static ofSession(table: Table, sessionId: usize): usize {
    return readSet(table, sessionId) == OK ? SetCopy.take() : 0;
  }

  /** The copy of a set by its number, or 0. */
  static at(table: Table, set: u32): usize {
    return readSetAt(table, set) == OK ? SetCopy.take() : 0;
  }

  private static take(): usize {
    index = lastSetIndex();
    cas = sharedCas();
    memory.copy(copy, sharedValue(), SET_BYTES);
    return copy;
  }

  /** Which set was copied last. */
  static index(): u32 {
    return index;
  }

  /** Writes the copy back. False: another worker wrote the set meanwhile. */
  static write(table: Table): bool {
    return writeSetAt(table, index, copy, cas) == OK;
  }
}
