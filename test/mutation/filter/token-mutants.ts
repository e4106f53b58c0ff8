// Mutants of AssemblyScript sources: one token or one statement each, found by TypeScript's parser, which reads them too.
import ts from "typescript";
import type { Mutant } from "../mutant.js";

export interface TextMutant extends Mutant {
  /** The whole file with the change. */
  readonly changed: string;
}

const OPERATORS: Readonly<Record<string, string>> = {
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "==": "!=",
  "!=": "==",
  "&&": "||",
  "||": "&&",
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
  "%": "*",
  "<<": ">>",
  ">>": "<<",
  "&": "|",
  "|": "&",
  "^": "&",
  "+=": "-=",
  "-=": "+=",
  "|=": "&=",
  "&=": "|=",
};

/** @param text of the file, as AssemblyScript has it */
export function mutantsOf(file: string, text: string): TextMutant[] {
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  const mutants: TextMutant[] = [];
  const replace = (node: ts.Node, replacement: string): void => {
    const start = node.getStart(tree);
    const { line } = tree.getLineAndCharacterOfPosition(start);
    mutants.push({
      file,
      line: line + 1,
      source: text.split("\n")[line]?.trim() ?? "",
      original: text.slice(start, node.end),
      replacement,
      changed: text.slice(0, start) + replacement + text.slice(node.end),
    });
  };
  const visit = (node: ts.Node): void => {
    const replacement = replacementOf(node);
    if (replacement !== undefined) replace(...replacement);
    // A type, an import and a decorator hold no code.
    if (!ts.isTypeNode(node) && !ts.isImportDeclaration(node) && !ts.isDecorator(node)) ts.forEachChild(node, visit);
  };
  visit(tree);
  return mutants;
}

function replacementOf(node: ts.Node): [node: ts.Node, replacement: string] | undefined {
  if (ts.isBinaryExpression(node)) {
    const operator = OPERATORS[node.operatorToken.getText()];
    return operator === undefined ? undefined : [node.operatorToken, operator];
  }
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken)
    return [node, node.operand.getText()];
  if (node.kind === ts.SyntaxKind.TrueKeyword) return [node, "false"];
  if (node.kind === ts.SyntaxKind.FalseKeyword) return [node, "true"];
  if (ts.isNumericLiteral(node)) return [node, String(Number(node.text.replaceAll("_", "")) + 1)];
  return isRemovable(node) ? [node, ";"] : undefined;
}

/** A call whose result nobody takes, and an early exit with its condition. */
function isRemovable(node: ts.Node): boolean {
  if (ts.isExpressionStatement(node)) return ts.isCallExpression(node.expression);
  if (!ts.isIfStatement(node) || node.elseStatement !== undefined) return false;
  const then = node.thenStatement;
  return ts.isReturnStatement(then) || ts.isContinueStatement(then) || ts.isBreakStatement(then);
}
