// The part of the WebAssembly JavaScript API that the host uses: Node has it, but its types ship only with the DOM's.
declare namespace WebAssembly {
  type HostFunction = (...args: never[]) => number | bigint | undefined;

  class Module {
    constructor(bytes: Uint8Array);
    private readonly opaque: unknown;
    static imports(module: Module): { module: string; name: string; kind: string }[];
    static exports(module: Module): { name: string; kind: string }[];
  }

  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, HostFunction>>);
    readonly exports: Record<string, unknown>;
  }

  class Memory {
    readonly buffer: ArrayBuffer;
    /** Adds pages of 64 KiB and returns the size before, in pages. */
    grow(pages: number): number;
  }

  class Global {
    value: number;
  }

  class RuntimeError extends Error {}
}
