// The validator that `npm run build:validator` compiles. Declared here, so that types can be checked before it is built.
declare module "#validator" {
  /** See assembly/domain/policy/validator-module.ts, also for `kind`. */
  export function validate(text: string, kind: number): string;
  /** Collects the module's garbage; its runtime never does by itself. */
  export function __collect(): void;
  export const memory: { readonly buffer: ArrayBuffer };
}
