// What settling makes of a level.
import { PICO_PER_TOKEN } from "../../contract";

/**
 * The level of a bucket from which `reserved` tokens were taken, had `cost` been taken in their place: never above what it
 * can hold, never further below 0 than that.
 * @param levelPico as it is now, refilled
 */
export function settledLevel(levelPico: i64, capacityPico: i64, reserved: u32, cost: u32): i64 {
  // Both rooms are up to 2 × 9 × 10^18, which a u64 holds.
  if (cost < reserved) {
    const room = <u64>capacityPico - <u64>levelPico;
    const back = <u64>(reserved - cost) * <u64>PICO_PER_TOKEN;
    return back >= room ? capacityPico : levelPico + <i64>back;
  }
  // Where the limit has become smaller since, the bucket may owe more already.
  if (levelPico <= -capacityPico) return levelPico;
  const room = <u64>levelPico + <u64>capacityPico;
  const tokens = <u64>(cost - reserved);
  // 2^32 tokens are more than 64 bits hold in picotokens.
  if (tokens > room / <u64>PICO_PER_TOKEN) return -capacityPico;
  return <i64>(<u64>levelPico - tokens * <u64>PICO_PER_TOKEN);
}
