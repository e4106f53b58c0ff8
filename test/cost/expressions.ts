// The parts of Binaryen's expressions: its program can read and replace them, but its types leave that out.
import binaryen from "assemblyscript/binaryen";

type Ref = number;
type Accessor = (expression: Ref, ...rest: number[]) => number;
type Accessors = Readonly<Record<string, Accessor | undefined>>;

interface Parts {
  /** The name of Binaryen's accessors. */
  readonly accessors: string;
  /** A part that there may be any number of; they come before `single`. */
  readonly many?: { readonly count: string; readonly part: string };
  readonly single?: readonly string[];
}

/** In order of evaluation. */
const PARTS = new Map<number, Parts>([
  [binaryen.BlockId, { accessors: "Block", many: { count: "NumChildren", part: "ChildAt" } }],
  [binaryen.IfId, { accessors: "If", single: ["Condition"] }],
  [binaryen.BreakId, { accessors: "Break", single: ["Value", "Condition"] }],
  [binaryen.SwitchId, { accessors: "Switch", single: ["Value", "Condition"] }],
  [binaryen.CallId, { accessors: "Call", many: { count: "NumOperands", part: "OperandAt" } }],
  [
    binaryen.CallIndirectId,
    { accessors: "CallIndirect", many: { count: "NumOperands", part: "OperandAt" }, single: ["Target"] },
  ],
  [binaryen.LocalGetId, { accessors: "LocalGet" }],
  [binaryen.LocalSetId, { accessors: "LocalSet", single: ["Value"] }],
  [binaryen.GlobalGetId, { accessors: "GlobalGet" }],
  [binaryen.GlobalSetId, { accessors: "GlobalSet", single: ["Value"] }],
  [binaryen.LoadId, { accessors: "Load", single: ["Ptr"] }],
  [binaryen.StoreId, { accessors: "Store", single: ["Ptr", "Value"] }],
  [binaryen.ConstId, { accessors: "Const" }],
  [binaryen.UnaryId, { accessors: "Unary", single: ["Value"] }],
  [binaryen.BinaryId, { accessors: "Binary", single: ["Left", "Right"] }],
  [binaryen.SelectId, { accessors: "Select", single: ["IfTrue", "IfFalse", "Condition"] }],
  [binaryen.DropId, { accessors: "Drop", single: ["Value"] }],
  [binaryen.ReturnId, { accessors: "Return", single: ["Value"] }],
  [binaryen.NopId, { accessors: "Expression" }],
  [binaryen.UnreachableId, { accessors: "Expression" }],
  [binaryen.MemorySizeId, { accessors: "MemorySize" }],
  [binaryen.MemoryGrowId, { accessors: "MemoryGrow", single: ["Delta"] }],
  [binaryen.MemoryCopyId, { accessors: "MemoryCopy", single: ["Dest", "Source", "Size"] }],
  [binaryen.MemoryFillId, { accessors: "MemoryFill", single: ["Dest", "Value", "Size"] }],
]);

/** Puts in place of each part that is evaluated in any case, in order of evaluation, what `replace` makes of it. */
export function replaceOperands(expression: Ref, replace: (part: Ref) => Ref): void {
  const id = binaryen.getExpressionId(expression);
  const parts = PARTS.get(id);
  // Not passed over in silence: its parts would go uncounted.
  if (parts === undefined) throw new Error(`an expression of kind ${id} is not known here`);
  const { accessors, many, single = [] } = parts;
  const count = many === undefined ? 0 : accessor(accessors, `get${many.count}`)(expression);
  for (let index = 0; many !== undefined && index < count; index++) {
    const part = accessor(accessors, `get${many.part}`)(expression, index);
    accessor(accessors, `set${many.part}`)(expression, index, replace(part));
  }
  for (const name of single) replacePart(expression, accessors, name, replace);
}

/** The arms of an if, each of which may be passed over; there may be no second. */
export function replaceArms(expression: Ref, replace: (arm: Ref) => Ref): void {
  replacePart(expression, "If", "IfTrue", replace);
  replacePart(expression, "If", "IfFalse", replace);
}

export function replaceLoopBody(expression: Ref, replace: (body: Ref) => Ref): void {
  replacePart(expression, "Loop", "Body", replace);
}

export function setFloatConstant(expression: Ref, value: number): void {
  accessor("Const", "setValueF64")(expression, value);
}

function replacePart(expression: Ref, accessors: string, name: string, replace: (part: Ref) => Ref): void {
  const part = accessor(accessors, `get${name}`)(expression);
  // A null pointer: this one has no such part.
  if (part !== 0) accessor(accessors, `set${name}`)(expression, replace(part));
}

function accessor(accessors: string, name: string): Accessor {
  const found = (binaryen as unknown as Readonly<Record<string, Accessors | undefined>>)[accessors]?.[name];
  if (found === undefined) throw new Error(`Binaryen has no ${accessors}.${name}`);
  return found;
}
