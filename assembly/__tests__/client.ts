// A client's bucket on a simulated clock, as the filter keeps one: refill, then spend or write nothing.
import { toPico, elapsedUsSince, refilledLevel } from "../domain/table/bucket";

let levelPico: i64 = 0;
let refilledAtUs: u64 = 0;
let capacity: i64 = 0;
let rateMicro: u64 = 0;

/** A full bucket. The rate is in microtokens a second. */
export function startClient(maxTokens: u32, ratePerSecondMicro: u64, nowUs: u64): void {
  capacity = toPico(maxTokens);
  rateMicro = ratePerSecondMicro;
  levelPico = capacity;
  refilledAtUs = nowUs;
}

/** Whether a request of that cost is admitted. */
export function request(cost: u32, nowUs: u64): bool {
  const level = refilledLevel(levelPico, elapsedUsSince(refilledAtUs, nowUs), rateMicro, capacity);
  if (level < toPico(cost)) return false;
  levelPico = level - toPico(cost);
  if (nowUs > refilledAtUs) refilledAtUs = nowUs;
  return true;
}

/** How many of `count` requests of cost 1 at one moment are admitted. */
export function burst(count: u32, nowUs: u64): u32 {
  let admitted: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    if (request(1, nowUs)) admitted++;
  }
  return admitted;
}
