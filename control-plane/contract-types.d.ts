// AssemblyScript's number types as tsc should see them in assembly/contract.ts, the one file that both compile.
type u8 = number;
type u32 = number;
type u64 = number;
type i32 = number;
type i64 = number;
