// What schemas are compiled to, once a process: most answers of most routes are the same few errors. Compiling is most of
// what it costs to build an application, and of tests that build one each.
import { AjvCompiler } from "@fastify/ajv-compiler";
import { SerializerSelector } from "@fastify/fast-json-stringify-compiler";
import type { FastifyServerOptions } from "fastify";

type Compilers = NonNullable<NonNullable<FastifyServerOptions["schemaController"]>["compilersFactory"]>;
type Compile<Compiled> = (route: { schema: unknown }) => Compiled;

/** Fastify's own. Of all its applications in this process, which have the same options. */
export const COMPILERS = {
  buildValidator: remembering(AjvCompiler() as never),
  buildSerializer: remembering(SerializerSelector() as never),
} as Compilers;

/** @param build makes a compiler that knows the schemas which others refer to */
function remembering<Options, Compiled>(build: (shared: unknown, options: Options) => Compile<Compiled>) {
  const compilers = new Map<string, Compile<Compiled>>();
  return (shared: unknown, options: Options): Compile<Compiled> =>
    remembered(compilers, JSON.stringify(shared), () => {
      const [compile, compiled] = [build(shared, options), new Map<string, Compiled>()];
      return (route) => remembered(compiled, JSON.stringify(route.schema), () => compile(route));
    });
}

function remembered<Value>(known: Map<string, Value>, key: string, make: () => Value): Value {
  const value = known.get(key) ?? make();
  known.set(key, value);
  return value;
}
