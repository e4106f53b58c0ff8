// Envoy's shared data: one map for all VMs, without delete and list, compare-and-swap with one counter for all keys.
import { WasmResult } from "./abi.js";

interface Entry {
  readonly value: Uint8Array;
  readonly cas: number;
}

export class SharedData {
  readonly #entries = new Map<string, Entry>();
  #cas = 0;

  /** Keys are byte strings: one character (0 to 255) a byte. */
  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  /** cas 0 overwrites whatever is there; another one inserts where the key is absent and must match where it is not. */
  set(key: string, value: Uint8Array, cas: number): number {
    const present = this.#entries.get(key);
    if (present !== undefined && cas !== 0 && cas !== present.cas) return WasmResult.CasMismatch;
    this.#cas += 1;
    this.#entries.set(key, { value: new Uint8Array(value), cas: this.#cas });
    return WasmResult.Ok;
  }

  keys(): string[] {
    return [...this.#entries.keys()];
  }

  get size(): number {
    return this.#entries.size;
  }
}
