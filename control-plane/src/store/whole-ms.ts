// What a store keeps of the fleet clock.

/** Without the part of a ms that has not passed. @throws RangeError where it is no time: one that was stored would stay for good */
export function wholeMs(ms: number): number {
  const whole = Math.floor(ms);
  if (Number.isSafeInteger(whole) && whole >= 0) return whole;
  throw new RangeError(`${ms} is no time of the fleet clock`);
}
