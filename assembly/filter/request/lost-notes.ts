// Settling on ticks what no callback will: settlements that lost their writes to other workers when their stream ended, and
// streams whose end came before their note. (A client may leave in the same turn in which an answer of the control plane lets
// its request through: Envoy has ended the stream by then, and says so no second time.)
import { enterRoot, enterStream } from "../../host/stream";
import { Root } from "../state/roots";
import { noteAtIndex, noteEntries } from "../state/settle-notes";
import { settleNote } from "./settle";

/** All notes are looked at within 64 ticks. A look is one host call. */
const LOOKS_A_TICK: u32 = 64;
let next: u32 = 0;

/** On a tick of `root`: looks at one slice of the notes. */
export function settleLostNotes(root: Root): void {
  const entries = noteEntries();
  const looks = min(entries, LOOKS_A_TICK);
  let entered = false;
  for (let look: u32 = 0; look < looks; look++) {
    if (next >= entries) next = 0;
    const note = noteAtIndex(next++);
    if (note == null) continue;
    if (!note.isOver && enterStream(note.contextId)) entered = true;
    else settleNote(note);
  }
  if (entered) enterRoot(root.id);
}
