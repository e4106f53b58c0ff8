// Envoy's log. Texts are managed strings: at configure, on ticks and on answers of the control plane only.
import * as abi from "@solo-io/proxy-runtime/assembly/imports";

const INFO: u32 = 2;
const WARN: u32 = 3;
const ERROR: u32 = 4;
const CRITICAL: u32 = 5;

export function logInfo(text: string): void {
  log(INFO, text);
}

export function logWarn(text: string): void {
  log(WARN, text);
}

export function logError(text: string): void {
  log(ERROR, text);
}

export function logCritical(text: string): void {
  log(CRITICAL, text);
}

function log(level: u32, text: string): void {
  const bytes = String.UTF8.encode("sluice: " + text);
  abi.proxy_log(level, changetype<usize>(bytes), bytes.byteLength);
}
