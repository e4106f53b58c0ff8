// What asc calls where a program cannot go on: Envoy has no env.abort, so the guest traps by itself.
export function abort(_message: usize, _file: usize, _line: u32, _column: u32): void {
  unreachable();
}
