// What a host call answers (Proxy-Wasm ABI 0.2.1, WasmResult).

export const OK: u32 = 0;
export const NOT_FOUND: u32 = 1;
/** Also what a read answers whose bytes do not fit the arena. */
export const INTERNAL_FAILURE: u32 = 6;
export const CAS_MISMATCH: u32 = 8;
