// Settling with a tick: what lost its writes to other workers when its stream ended, and streams that have ended without a
// callback to say so, since a client that leaves in the same turn as the answer that let its request through is noted after
// its stream's end.
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
