// Counts the instructions that a module executes: Binaryen puts an addition in front of each of its straight runs.
//
// One instruction is one expression of Binaryen's form of the module: a constant, a read or write of a local, a load, an
// operator, a call, a branch, an `if`. Blocks, loops, `else` and `end` only mark places and count nothing. A bulk copy or
// fill is one instruction however long it is, and so is a call of the host: what the host does then is not counted. Where
// a value waits on the stack, Binaryen reads it as one more local written and read: 20 in the filter's 39,000.
//
// A run goes from one place where control may come or go to the next: the beginning of a function, of a loop, of an
// arm, what follows an `if`, a named block or a conditional branch. All of it is executed or, but for a trap, none.
import binaryen from "assemblyscript/binaryen";
import { replaceArms, replaceLoopBody, replaceOperands, setFloatConstant } from "./expressions.js";

/** An exported global, f64: exact to 2^53, and a plain number in JavaScript. */
export const INSTRUCTIONS = "instructions_executed";

type Ref = number;

/** How control passes through an expression; all others are operators, in the middle of a run. */
const FLOW = new Map<number, "block" | "loop" | "if" | "jump">([
  [binaryen.BlockId, "block"],
  [binaryen.LoopId, "loop"],
  [binaryen.IfId, "if"],
  [binaryen.BreakId, "jump"],
  [binaryen.SwitchId, "jump"],
  [binaryen.ReturnId, "jump"],
  [binaryen.UnreachableId, "jump"],
]);

/** The same module with an exported global INSTRUCTIONS. Its functions stay as they are, without any optimisation. */
export function countingInstructions(wasm: Uint8Array): Uint8Array {
  const module = binaryen.readBinary(wasm);
  module.setFeatures(binaryen.Features.All);
  const functions = Array.from({ length: module.getNumFunctions() }, (_, index) => {
    return binaryen.getFunctionInfo(module.getFunctionByIndex(index));
  });
  module.addGlobal(INSTRUCTIONS, binaryen.f64, true, module.f64.const(0));
  module.addGlobalExport(INSTRUCTIONS, INSTRUCTIONS);
  // An import has no body: a null pointer.
  for (const { name, params, results, vars, body } of functions.filter((each) => each.body !== 0)) {
    const counter = new FunctionCounter(module, binaryen.expandType(params).length + vars.length);
    const counting = counter.counting(body);
    module.removeFunction(name);
    module.addFunction(name, params, results, [...vars, ...counter.addedLocals], counting);
  }
  if (module.validate() !== 1) throw new Error("the module that counts is not valid");
  const counting = module.emitBinary();
  module.dispose();
  return counting;
}

class FunctionCounter {
  readonly #module: binaryen.Module;
  /** The locals that hold a value while an addition is made after it, by type. */
  readonly #held = new Map<binaryen.Type, number>();
  readonly #firstHeld: number;
  /** The addition's constant, of the run that the next expression belongs to; undefined where nothing gets to. */
  #addend: Ref | undefined;
  #length = 0;

  constructor(module: binaryen.Module, locals: number) {
    this.#module = module;
    this.#firstHeld = locals;
  }

  get addedLocals(): binaryen.Type[] {
    return [...this.#held.keys()];
  }

  counting(body: Ref): Ref {
    const counting = this.#beginningRun(body);
    this.#endRun();
    return counting;
  }

  #visit(expression: Ref): Ref {
    switch (FLOW.get(binaryen.getExpressionId(expression))) {
      case "block":
        replaceOperands(expression, (part) => this.#visit(part));
        return isBranchTarget(expression) ? this.#beginRunAfter(expression) : expression;
      case "loop":
        replaceLoopBody(expression, (body) => this.#beginningRun(body));
        return expression;
      case "if":
        this.#visitOperator(expression);
        replaceArms(expression, (arm) => this.#beginningRun(arm));
        return this.#beginRunAfter(expression);
      case "jump":
        return this.#beginRunAfter(this.#visitOperator(expression));
      case undefined:
        return this.#visitOperator(expression);
    }
  }

  /** One instruction, after those of its operands. */
  #visitOperator(expression: Ref): Ref {
    replaceOperands(expression, (part) => this.#visit(part));
    this.#length += 1;
    return expression;
  }

  #beginningRun(expression: Ref): Ref {
    const addition = this.#beginRun();
    return this.#inSequence(addition, this.#visit(expression));
  }

  #beginRunAfter(expression: Ref): Ref {
    const type = binaryen.getExpressionType(expression);
    if (type === binaryen.unreachable) {
      this.#endRun();
      return expression;
    }
    const { local } = this.#module;
    const addition = this.#beginRun();
    if (type === binaryen.none) return this.#inSequence(expression, addition);
    const held = this.#heldLocal(type);
    return this.#inSequence(local.set(held, expression), addition, local.get(held, type));
  }

  /** What adds the run's length, which is known when it ends. */
  #beginRun(): Ref {
    this.#endRun();
    const { global, f64 } = this.#module;
    this.#addend = f64.const(0);
    return global.set(INSTRUCTIONS, f64.add(global.get(INSTRUCTIONS, binaryen.f64), this.#addend));
  }

  #endRun(): void {
    if (this.#addend !== undefined) setFloatConstant(this.#addend, this.#length);
    this.#addend = undefined;
    this.#length = 0;
  }

  /** Of the type of the last. */
  #inSequence(...expressions: Ref[]): Ref {
    return this.#module.block(null, expressions, binaryen.auto);
  }

  #heldLocal(type: binaryen.Type): number {
    const index = this.#held.get(type) ?? this.#firstHeld + this.#held.size;
    this.#held.set(type, index);
    return index;
  }
}

function isBranchTarget(block: Ref): boolean {
  // Whatever the types say, it is null for a block that nothing branches to.
  const { name } = binaryen.getExpressionInfo(block) as { readonly name?: string | null };
  return name !== undefined && name !== null && name !== "";
}
