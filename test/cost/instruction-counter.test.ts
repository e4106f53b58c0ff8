// What one instruction is, on functions whose instructions can be counted by hand.
import binaryen from "assemblyscript/binaryen";
import { describe, expect, it } from "vitest";
import { INSTRUCTIONS, countingInstructions } from "./instruction-counter.js";

/** What a module's function answers, and how many instructions that took. */
function run(functionText: string, ...args: number[]): { result: number | undefined; instructions: number } {
  const module = binaryen.parseText(`(module (memory 1) ${functionText})`);
  const wasm = module.emitBinary();
  module.dispose();
  const instance = new WebAssembly.Instance(new WebAssembly.Module(countingInstructions(wasm)), {});
  const tested = instance.exports["tested"] as (...args: number[]) => number | undefined;
  const result = tested(...args);
  return { result, instructions: (instance.exports[INSTRUCTIONS] as WebAssembly.Global).value };
}

describe("the count of instructions", () => {
  it("straight code counts one for each operator, constant and read of a local", () => {
    const add = `(func (export "tested") (param i32) (result i32) (i32.add (local.get 0) (i32.const 5)))`;
    expect(run(add, 2)).toEqual({ result: 7, instructions: 3 });
  });

  it("a loop counts as one turn, times the turns", () => {
    const sum = `(func (export "tested") (param i32) (result i32) (local i32)
      (loop $again
        (local.set 1 (i32.add (local.get 1) (local.get 0)))
        (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
      (local.get 1))`;
    expect(run(sum, 1)).toEqual({ result: 1, instructions: 4 + 5 + 1 });
    expect(run(sum, 100)).toEqual({ result: 5050, instructions: 100 * (4 + 5) + 1 });
  });

  it("a condition counts only the arm that was taken, and what follows both", () => {
    const choose = `(func (export "tested") (param i32) (result i32)
      (i32.mul (i32.const 2) (if (result i32) (local.get 0)
        (then (i32.const 10))
        (else (i32.add (i32.const 3) (i32.const 4))))))`;
    const around = ["const 2", "local.get", "if", "mul"].length;
    expect(run(choose, 1)).toEqual({ result: 20, instructions: around + 1 });
    expect(run(choose, 0)).toEqual({ result: 14, instructions: around + 3 });
  });

  it("code that a branch or a return jumps over does not count", () => {
    const leave = `(func (export "tested") (param i32) (result i32)
      (i32.add (i32.const 100) (block $out (result i32)
        (drop (br_if $out (i32.const 1) (i32.eq (local.get 0) (i32.const 1))))
        (block $two (block $three (br_table $two $three (i32.sub (local.get 0) (i32.const 2)))) (return (i32.const 3)))
        (i32.const 2))))`;
    const first = ["const 100", "const 1", "local.get", "const 1", "eq", "br_if"].length;
    const second = ["drop", "local.get", "const 2", "sub", "br_table"].length;
    expect(run(leave, 1)).toEqual({ result: 101, instructions: first + 1 });
    expect(run(leave, 2)).toEqual({ result: 102, instructions: first + second + 2 });
    expect(run(leave, 3)).toEqual({ result: 3, instructions: first + second + 2 });
  });

  it("called functions count, also by table; a bulk fill counts as one instruction", () => {
    const call = `(table funcref (elem $fill))
      (type $none (func))
      (func $fill (memory.fill (i32.const 0) (i32.const 7) (i32.const 1000)))
      (func (export "tested") (call $fill) (call_indirect (type $none) (i32.const 0)))`;
    expect(run(call)).toEqual({ result: undefined, instructions: 1 + 4 + 2 + 4 });
  });

  it("a module with an unknown kind of expression is rejected, so none goes uncounted", () => {
    const atomic = `(func (export "tested") (atomic.fence))`;
    expect(() => run(atomic)).toThrow(/kind \d+ is not known/);
  });
});
