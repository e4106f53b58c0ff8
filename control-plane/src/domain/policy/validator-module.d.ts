// The judge that `npm run build:judge` compiles. Declared here, so that types can be checked before it is built.
declare module "#judge" {
  /** See assembly/domain/policy/validator-module.ts, also for `kind`. */
  export function judge(text: string, kind: number): string;
  /** Collects the module's garbage; its runtime never does by itself. */
  export function __collect(): void;
  export const memory: { readonly buffer: ArrayBuffer };
}
