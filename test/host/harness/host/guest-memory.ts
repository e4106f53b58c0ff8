// Reads and writes a guest's linear memory, and asks the guest for room where a host call returns bytes.
import { HostError } from "./abi.js";

/** The guest gave a pointer outside its memory, or no room: the host call answers 6 and does not trap. */
export class InvalidMemoryAccess extends Error {}

export class GuestMemory {
  /** True while the guest's own allocation callback runs: then Envoy allows only log, clock, random and WASI. */
  allocating = false;
  readonly #memory: () => WebAssembly.Memory;
  readonly #allocate: (size: number) => number;
  #lastNumbers: DataView | undefined;

  constructor(memory: () => WebAssembly.Memory, allocate: (size: number) => number) {
    this.#memory = memory;
    this.#allocate = allocate;
  }

  /** All of the guest's memory, in bytes. */
  get size(): number {
    return this.#memory().buffer.byteLength;
  }

  /** A copy of the guest's bytes. */
  bytes(at: number, length: number): Uint8Array {
    return this.#view(at, length).slice();
  }

  /** A byte string: one character a byte. */
  text(at: number, length: number): string {
    const { buffer, byteOffset } = this.#view(at, length);
    return Buffer.from(buffer, byteOffset, length >>> 0).toString("latin1");
  }

  setBytes(at: number, bytes: Uint8Array): void {
    this.#view(at, bytes.length).set(bytes);
  }

  setU32(at: number, value: number): void {
    this.#numbers(at, 4).setUint32(at >>> 0, value, true);
  }

  setU64(at: number, value: bigint): void {
    this.#numbers(at, 8).setBigUint64(at >>> 0, value, true);
  }

  /** Puts bytes where the guest makes room for them and tells it where; nothing is asked for 0 bytes, as in Envoy. */
  giveBytes(bytes: Uint8Array, pointerAt: number, lengthAt: number): void {
    const pointer = bytes.length === 0 ? 0 : this.#room(bytes.length);
    if (bytes.length > 0) this.setBytes(pointer, bytes);
    this.setU32(pointerAt, pointer);
    this.setU32(lengthAt, bytes.length);
  }

  giveText(text: string, pointerAt: number, lengthAt: number): void {
    this.giveBytes(Buffer.from(text, "latin1"), pointerAt, lengthAt);
  }

  #room(size: number): number {
    if (this.allocating) throw new HostError("a host call that returns bytes inside the allocation callback");
    this.allocating = true;
    try {
      const pointer = this.#allocate(size) >>> 0;
      if (pointer === 0) throw new InvalidMemoryAccess();
      return pointer;
    } finally {
      this.allocating = false;
    }
  }

  #view(at: number, length: number): Uint8Array {
    return new Uint8Array(this.#holding(at, length), at >>> 0, length >>> 0);
  }

  /** Of all the memory. A memory that has grown has another buffer. */
  #numbers(at: number, length: number): DataView {
    const buffer = this.#holding(at, length);
    if (this.#lastNumbers?.buffer !== buffer) this.#lastNumbers = new DataView(buffer);
    return this.#lastNumbers;
  }

  #holding(at: number, length: number): ArrayBuffer {
    const { buffer } = this.#memory();
    if ((at >>> 0) + (length >>> 0) > buffer.byteLength) throw new InvalidMemoryAccess();
    return buffer;
  }
}
