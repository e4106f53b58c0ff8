// What a report says of this VM's counters: what each has counted since the VM's life began, beside what the last answered report
// said of it. So whoever receives it can count the difference, once (docs/edge-protocol.md, report).
import { MAX_REPORT_COUNTERS_BYTES } from "../../contract";
import { FixedText, writeAscii, writeBytes, writeDecimal } from "../../memory/bytes";
import { Metric, lastCounter } from "../vm/metrics";

/** Of an entry, beside its name: `,"":[,]` and two numbers of at most 20 digits. */
const ENTRY_BYTES: u32 = 47;
/** `,"counters":{` and `}`. */
const FRAME_BYTES: u32 = 14;

/** The first that had no room in the report before; 0: it had all. */
let firstLeft: usize = 0;

/**
 * `,"counters":{"restores":[3,5]}` of those that changed since the last answered report; nothing where none did. At most
 * MAX_REPORT_COUNTERS_BYTES: the next report begins with those that had no room. Returns the end.
 */
export function writeCounters(at: usize): usize {
  const first = firstLeft == 0 ? lastCounter() : firstLeft;
  firstLeft = 0;
  if (first == 0) return at;
  const limit = at + MAX_REPORT_COUNTERS_BYTES - FRAME_BYTES;
  let end = at;
  let address = first;
  do {
    const counter = changetype<Metric>(address);
    counter.sent = counter.answered;
    if (counter.total != counter.answered && firstLeft == 0) {
      const name = changetype<FixedText>(counter.name);
      if (end + name.bytes + ENTRY_BYTES > limit) firstLeft = address;
      else end = writeCounter(writeAscii(end, end == at ? ',"counters":{"' : ',"'), counter, name);
    }
    address = counter.next;
  } while (address != first);
  return end == at ? at : writeAscii(end, "}");
}

function writeCounter(at: usize, counter: Metric, name: FixedText): usize {
  let end = writeAscii(writeBytes(at, name.address, name.bytes), '":[');
  end = writeDecimal(end, counter.answered);
  end = writeDecimal(writeAscii(end, ","), counter.total);
  counter.sent = counter.total;
  return writeAscii(end, "]");
}

/** The report that was written last is answered. */
export function acknowledgeCounters(): void {
  const first = lastCounter();
  if (first == 0) return;
  let address = first;
  do {
    const counter = changetype<Metric>(address);
    counter.answered = counter.sent;
    address = counter.next;
  } while (address != first);
}
