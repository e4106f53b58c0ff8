// The readers of test/filters/reads-usage.ts, called from here; and what they are held against.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../../scripts/project-root.js";
import { compileFilter } from "../harness/builds/compile-filter.js";

export const ABSENT = "absent";
export const INVALID = "invalid";
export const TOO_LONG = "too long";
/** Millionths where there is a value. */
export type Found = bigint | typeof ABSENT | typeof INVALID | typeof TOO_LONG;

const OUTCOMES = [ABSENT, null, INVALID, TOO_LONG] as const;
export const MICRO = 1_000_000n;
const MAX_UNITS = 10n ** 12n;

interface Exports {
  memory: WebAssembly.Memory;
  _initialize(): void;
  [name: string]: unknown;
}
type Call = (...numbers: (number | bigint)[]) => number | bigint;

/** A busy machine takes its time to compile them. */
export const COMPILE_TIMEOUT_MS = 60_000;
/** Once for all files. */
let compiled: Promise<WebAssembly.Module> | undefined;

/** How a text is cut: each piece's length in bytes. */
export type Cuts = Iterable<number>;

export class UsageReaders {
  /** Whether what each reading writes to is looked at. */
  watchesMemory = false;
  private changed = false;

  private constructor(
    private readonly exports: Exports,
    private readonly roomAt: number,
  ) {}

  static async compile(): Promise<UsageReaders> {
    compiled ??= compileFilter("reads-usage").then((wasm) => new WebAssembly.Module(wasm));
    const instance = new WebAssembly.Instance(await compiled, {});
    const exports = instance.exports as Exports & typeof instance.exports;
    exports._initialize();
    return new UsageReaders(exports, Number((exports["roomAt"] as Call)()));
  }

  /** The value that a pointer leads to in a document, which comes in pieces. */
  json(pointer: string, document: Uint8Array, cuts: Cuts = []): Found {
    return this.read("Json", "json", pointer, document, cuts);
  }

  /** The same in the events of a stream. */
  events(pointer: string, stream: Uint8Array, cuts: Cuts = []): Found {
    return this.read("Events", "events", pointer, stream, cuts);
  }

  text(text: string): Found {
    return this.found("valueText", "micro", this.put(Buffer.from(text)));
  }

  metadata(value: Uint8Array): Found {
    return this.found("metadataValue", "micro", this.put(value));
  }

  costOf(valueMicro: bigint, timesMicro: bigint): bigint {
    return BigInt.asUintN(64, this.call("costOf", valueMicro, timesMicro) as bigint);
  }

  call(name: string, ...numbers: (number | bigint)[]): number | bigint {
    return (this.exports[name] as Call)(...numbers);
  }

  /** Whether the last reading in pieces wrote to anything but its own state. */
  changedOutsideState(): boolean {
    return this.changed;
  }

  private read(kind: string, prefix: string, pointer: string, bytes: Uint8Array, cuts: Cuts): Found {
    this.call("setPointer", this.put(Buffer.from(pointer)));
    this.call(`start${kind}`);
    this.put(bytes);
    const before = this.memoryWithout(prefix);
    let at = 0;
    for (const length of cuts) {
      const next = Math.min(at + length, bytes.length);
      this.call(`take${kind}`, this.roomAt + at, next - at);
      at = next;
    }
    this.call(`take${kind}`, this.roomAt + at, bytes.length - at);
    this.changed = before !== null && !before.equals(this.memoryWithout(prefix) ?? before);
    return this.found(`${prefix}Outcome`, `${prefix}Micro`);
  }

  /** A copy of it, if it is asked for: without a reader's state. */
  private memoryWithout(prefix: string): Buffer | null {
    if (!this.watchesMemory) return null;
    const copy = Buffer.from(new Uint8Array(this.exports.memory.buffer.slice(0)));
    const at = Number(this.call(`${prefix}At`));
    return copy.fill(0, at, at + Number(this.call(`${prefix}Bytes`)));
  }

  private found(outcome: string, micro: string, ...numbers: number[]): Found {
    return OUTCOMES[Number(this.call(outcome, ...numbers))] ?? BigInt.asUintN(64, this.call(micro) as bigint);
  }

  private put(bytes: Uint8Array): number {
    new Uint8Array(this.exports.memory.buffer).set(bytes, this.roomAt);
    return bytes.length;
  }
}

/** Each byte a piece. */
export function everyByte(bytes: Uint8Array): Cuts {
  return bytes.map(() => 1);
}

/** What JSON.parse and a pointer followed step by step make of a document; of none that it is: absent. */
export function parsedValue(pointer: string, document: string): Found {
  let value: unknown;
  try {
    value = JSON.parse(document);
  } catch {
    return ABSENT;
  }
  for (const token of pointer.slice(1).split("/")) {
    const name = token.replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(value)) value = /^(?:0|[1-9]\d*)$/.test(name) ? value[Number(name)] : undefined;
    else if (typeof value === "object" && value !== null && Object.hasOwn(value, name))
      value = (value as Record<string, unknown>)[name];
    else return ABSENT;
  }
  if (value === null || value === undefined) return ABSENT;
  return typeof value === "number" ? microOf(String(value)) : INVALID;
}

/** A JSON number's text in millionths, rounded up, by whole numbers of any size. */
export function microOf(text: string): bigint | typeof INVALID {
  const [, sign = "", whole = "", decimals = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(text) ?? [];
  const digits = BigInt(whole + decimals);
  if (digits === 0n) return 0n;
  if (sign === "-") return INVALID;
  const shift = Number(exponent) - decimals.length + 6;
  if (shift > 40) return INVALID;
  const divisor = 10n ** BigInt(Math.min(Math.max(-shift, 0), 2_000));
  const micro = shift >= 0 ? digits * 10n ** BigInt(shift) : (digits + divisor - 1n) / divisor;
  return micro > MAX_UNITS * MICRO ? INVALID : micro;
}

/** The data of each event of a stream that is there as a whole: WHATWG HTML, "Interpreting an event stream". */
export function eventsOf(stream: string): string[] {
  const lines = stream.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/);
  const events: string[] = [];
  const data: string[] = [];
  // What stands behind the last line's end is no line.
  for (const line of lines.slice(0, -1)) {
    if (line === "" && data.length > 0) events.push(data.splice(0).join("\n"));
    const colon = line.indexOf(":");
    if ((colon < 0 ? line : line.slice(0, colon)) === "data")
      data.push(colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, ""));
  }
  return events;
}

/** The last event's value that has one. */
export function lastValue(pointer: string, stream: string): Found {
  return eventsOf(stream)
    .map((data) => parsedValue(pointer, data))
    .reduce<Found>((last, value) => (value === ABSENT ? last : value), ABSENT);
}

export interface UsageResponse {
  readonly name: string;
  readonly contentType: string;
  readonly pointer: string;
  /** Null: it has none. */
  readonly units: number | null;
  readonly body: string;
}

/** The responses of test/vectors/usage/responses.json. */
export function usageResponses(): readonly UsageResponse[] {
  const file = join(projectRoot, "test/vectors/usage/responses.json");
  return (JSON.parse(readFileSync(file, "utf8")) as { cases: UsageResponse[] }).cases;
}
