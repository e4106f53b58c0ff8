// A token bucket in whole numbers of so small a part of a token that nothing is ever rounded: of a rate of N tokens in S
// seconds a part is 1/S of a picotoken, and N × 10⁶ of them come each µs.
import type { Rate } from "../../../../control-plane/src/domain/policy/policy.js";

const MICRO = 1_000_000n;
const PICO = 1_000_000_000_000n;
/** As many µs as 64 bits count. */
const MAX_WAIT_US = 2n ** 64n - 1n;
const UNIT_SECONDS: Readonly<Record<string, bigint>> = { s: 1n, m: 60n, h: 3600n, d: 86_400n };

export interface BucketSpec extends Rate {
  readonly name: string;
  readonly maxTokens: number;
}

export class PlainBucket {
  readonly name: string;
  readonly maxTokens: number;
  /** Parts a µs. */
  readonly #gain: bigint;
  readonly #partsAPico: bigint;
  #level: bigint;

  /** @param levelMicro microtokens that it begins with; undefined: it is full */
  constructor({ name, maxTokens, tokenRefillRate, refill }: BucketSpec, levelMicro?: number) {
    this.name = name;
    this.maxTokens = maxTokens;
    const [, tokens = "0", units = "1", unit = "s"] = /^(\d+)\/(\d+)([smhd])$/.exec(refill ?? "") ?? [];
    const seconds = refill === null ? MICRO : BigInt(units) * (UNIT_SECONDS[unit] ?? 0n);
    this.#gain = MICRO * (refill === null ? BigInt(Math.round((tokenRefillRate ?? 0) * 1e6)) : BigInt(tokens));
    this.#partsAPico = seconds;
    const level = levelMicro === undefined ? this.#full : BigInt(levelMicro) * MICRO * seconds;
    this.#level = level < this.#full ? level : this.#full;
  }

  pass(elapsedUs: bigint): void {
    const level = this.#level + elapsedUs * this.#gain;
    this.#level = level < this.#full ? level : this.#full;
  }

  holds(tokens: number): boolean {
    return this.#level >= this.#parts(tokens);
  }

  take(tokens: number): void {
    this.#level -= this.#parts(tokens);
  }

  /**
   * What was reserved becomes what it cost: never above full, nor, by that, below as much of a debt; the part of a picotoken
   * that it has gained stays to it.
   */
  settle(reserved: number, cost: number): void {
    const level = this.#level + this.#parts(reserved) - this.#parts(cost);
    const least = this.#level - this.levelPico * this.#partsAPico - this.#full;
    if (cost < reserved) this.#level = level < this.#full ? level : this.#full;
    else if (this.#level > least) this.#level = level > least ? level : least;
  }

  /** How many requests of this cost it has room for. */
  roomFor(cost: number): bigint {
    return this.#level / this.#parts(cost);
  }

  /** µs until it holds so many tokens; undefined: never, or not within 584,000 years, which are as long. */
  waitUs(tokens: number): bigint | undefined {
    if (this.#gain === 0n) return undefined;
    const wait = ceil(this.#parts(tokens) - this.#level, this.#gain);
    return wait < MAX_WAIT_US ? wait : undefined;
  }

  /** Whole seconds of the picotokens that it holds, which is what headers speak of; undefined: never. */
  secondsUntil(tokens: number): number | undefined {
    const lack = BigInt(tokens) * PICO - this.levelPico;
    if (lack <= 0n) return 0;
    if (this.#gain === 0n) return undefined;
    return Number(ceil(lack * this.#partsAPico, MICRO * this.#gain));
  }

  /** Seconds in which an empty one fills; undefined: never. */
  get windowSeconds(): number | undefined {
    return this.#gain === 0n ? undefined : Number(ceil(this.#full, this.#gain * MICRO));
  }

  get levelPico(): bigint {
    return floor(this.#level, this.#partsAPico);
  }

  /** Whole tokens that can be spent. */
  get left(): number {
    return this.#level < 0n ? 0 : Number(this.#level / this.#parts(1));
  }

  get #full(): bigint {
    return this.#parts(this.maxTokens);
  }

  #parts(tokens: number): bigint {
    return BigInt(tokens) * PICO * this.#partsAPico;
  }
}

function floor(number: bigint, divisor: bigint): bigint {
  return number >= 0n ? number / divisor : -ceil(-number, divisor);
}

function ceil(number: bigint, divisor: bigint): bigint {
  return number <= 0n ? number / divisor : (number + divisor - 1n) / divisor;
}
