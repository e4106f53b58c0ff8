// Environment variables that Envoy hands to the module (`host_env_keys`). Managed memory: at configure only.
import { environ_get, environ_sizes_get } from "./wasi";

const sizes: usize = memory.data(8, 4);

/** The value of an environment variable, or null if the host does not hand it over. */
export function environmentVariable(name: string): string | null {
  if (environ_sizes_get(sizes, sizes + 4) != 0) return null;
  const count = load<u32>(sizes);
  const pointers = new StaticArray<u8>(<i32>(count << 2));
  const buffer = new StaticArray<u8>(<i32>load<u32>(sizes, 4));
  if (environ_get(changetype<usize>(pointers), changetype<usize>(buffer)) != 0) return null;
  const prefix = name + "=";
  for (let i: u32 = 0; i < count; i++) {
    const entry = load<u32>(changetype<usize>(pointers) + (i << 2));
    const text = String.UTF8.decodeUnsafe(entry, lengthOfText(entry));
    if (text.startsWith(prefix)) return text.substring(prefix.length);
  }
  return null;
}

function lengthOfText(text: usize): usize {
  let length: usize = 0;
  while (load<u8>(text + length) != 0) length++;
  return length;
}
