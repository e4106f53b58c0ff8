// contract.ts means the same to asc and to tsc, and its layouts add up.
import asc from "assemblyscript/dist/asc.js";
import { describe, expect, it } from "vitest";
import * as contract from "../../assembly/contract.js";

/** Every exported constant as the AssemblyScript compiler made it: a module of the contract alone, run. */
async function compiledByAsc(): Promise<Record<string, string | number>> {
  let binary: Uint8Array | undefined;
  const { error } = await asc.main(
    ["assembly/contract.ts", "--config", "none", "--runtime", "stub", "--outFile", "contract.wasm"],
    {
      writeFile(_name: string, contents: string | Uint8Array): void {
        binary = Buffer.from(contents);
      },
    },
  );
  if (error !== null) throw error;
  if (binary === undefined) throw new Error("asc wrote no module");
  const { memory, ...exported } = new WebAssembly.Instance(new WebAssembly.Module(binary), {}).exports;
  if (!(memory instanceof WebAssembly.Memory)) throw new Error("the module exports no memory");
  const constants: Record<string, string | number> = {};
  for (const [name, global] of Object.entries(exported)) {
    if (!(global instanceof WebAssembly.Global)) continue;
    const isText = typeof Reflect.get(contract, name) === "string";
    const value: unknown = global.value;
    // A 64-bit one is a bigint.
    constants[name] = isText ? stringAt(memory.buffer, Number(value)) : Number(value);
  }
  return constants;
}

/** An AssemblyScript string: its length in bytes stands 4 bytes before its UTF-16. */
function stringAt(buffer: ArrayBuffer, address: number): string {
  const length = new DataView(buffer).getUint32(address - 4, true);
  return Buffer.from(buffer, address, length).toString("utf16le");
}

/** Where the last field ends; none may leave a gap before it. */
function endOf(fields: readonly [at: number, bytes: number][]): number {
  let end = 0;
  for (const [at, bytes] of fields) {
    expect(at).toBe(end);
    end = at + bytes;
  }
  return end;
}

describe("contract", () => {
  it("the filter and the control plane have the same constants", async () => {
    const filter = await compiledByAsc();
    const controlPlane: Record<string, unknown> = { ...contract };
    expect(Object.keys(filter).length).toBeGreaterThan(50);
    expect(filter).toEqual(controlPlane);
  });

  it("a token's fields lie end to end", () => {
    expect(contract.TOKEN_SESSION_ID_AT + contract.SESSION_ID_BYTES).toBe(contract.TOKEN_PLAN_ID_AT);
    expect(contract.TOKEN_PLAN_ID_AT + 2).toBe(contract.TOKEN_TAG_AT);
    expect(contract.TOKEN_TAG_AT + contract.TAG_BYTES).toBe(contract.TOKEN_BYTES);
    expect((contract.TOKEN_BYTES / 3) * 4).toBe(contract.TOKEN_CHARS);
  });

  it("a record's fields lie end to end", () => {
    const fields: [at: number, bytes: number][] = [
      [contract.RECORD_TOKEN_AT, contract.TOKEN_BYTES],
      [contract.RECORD_REV_AT, 4],
      [contract.RECORD_LEVEL_AT, 8],
      [contract.RECORD_REFILLED_AT_AT, 8],
      [contract.RECORD_CONSUMED_AT, 8],
      [contract.RECORD_ENDS_AT_AT, 4],
      [contract.RECORD_PLAN_ID_AT, 2],
      [contract.RECORD_STATE_AT, 1],
      [contract.RECORD_FLAGS_AT, 1],
      [contract.RECORD_ACKED_REV_AT, 4],
      [contract.RECORD_REMAINDER_AT, 2],
      [contract.RECORD_ANNEX_AT, 1],
      [79, 1],
    ];
    expect(endOf(fields)).toBe(contract.RECORD_BYTES);
    expect(contract.RECORDS_PER_SET * contract.RECORD_BYTES).toBe(contract.SET_BYTES);
  });

  it("an annex's fields lie end to end, with its state where a record has it", () => {
    const fields: [at: number, bytes: number][] = [
      [contract.ANNEX_LEVELS_AT, 8 * contract.MAX_LIMITS_OF_PLAN],
      [contract.ANNEX_REMAINDERS_AT, 2 * contract.MAX_LIMITS_OF_PLAN],
      [contract.ANNEX_STATE_AT, 1],
      [contract.ANNEX_RECORD_AT, 1],
      [contract.ANNEX_TAG_AT, 4],
      [contract.ANNEX_LEASE_END_AT, 4],
    ];
    expect(endOf(fields)).toBe(contract.RECORD_BYTES);
    expect(contract.ANNEX_STATE_AT).toBe(contract.RECORD_STATE_AT);
  });

  it("the largest bucket stays within 63 bits", () => {
    expect(BigInt(contract.MAX_TOKENS) * BigInt(contract.PICO_PER_TOKEN)).toBeLessThan(2n ** 63n);
    expect(contract.PICO_PER_MICROTOKEN * contract.MICROTOKENS_PER_TOKEN).toBe(contract.PICO_PER_TOKEN);
  });
});
