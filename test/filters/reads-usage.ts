// The readers of what a request really cost, without a filter around them: tests feed them bytes in any pieces.
import { EVENT_USAGE_BYTES, EventUsage } from "../../assembly/domain/usage/event-usage";
import { JSON_USAGE_BYTES, JsonUsage } from "../../assembly/domain/usage/json-usage";
import { compilePointer } from "../../assembly/domain/usage/pointer";
import { settledCost } from "../../assembly/domain/usage/settled-cost";
import { settledLevel } from "../../assembly/domain/usage/settled-level";
import { readMetadataValue, readValueText, valueMicro } from "../../assembly/domain/usage/value";
import "./abort";

/** Where tests put bytes: a little more than the readers read of a document. */
const room: usize = memory.data(1114112, 8);
const json = changetype<JsonUsage>(memory.data(JSON_USAGE_BYTES, 8));
const events = changetype<EventUsage>(memory.data(EVENT_USAGE_BYTES, 8));
let pointer = new ArrayBuffer(0);

export function roomAt(): usize {
  return room;
}

export function jsonAt(): usize {
  return changetype<usize>(json);
}

export function jsonBytes(): u32 {
  return JSON_USAGE_BYTES;
}

export function eventsAt(): usize {
  return changetype<usize>(events);
}

export function eventsBytes(): u32 {
  return EVENT_USAGE_BYTES;
}

/** The pointer's text stands in the room. */
export function setPointer(bytes: u32): void {
  pointer = compilePointer(String.UTF8.decodeUnsafe(room, bytes));
}

export function startJson(): void {
  json.start();
}

export function takeJson(at: usize, bytes: u32): void {
  json.take(changetype<usize>(pointer), at, bytes);
}

export function jsonOutcome(): u32 {
  return json.outcome;
}

export function jsonMicro(): u64 {
  return json.micro;
}

export function jsonWantsMore(): bool {
  return json.wantsMore;
}

export function startEvents(): void {
  events.start();
}

export function takeEvents(at: usize, bytes: u32): void {
  events.take(changetype<usize>(pointer), at, bytes);
}

export function eventsOutcome(): u32 {
  return events.outcome;
}

export function eventsMicro(): u64 {
  return events.micro;
}

export function valueText(bytes: u32): u32 {
  return readValueText(room, bytes);
}

export function metadataValue(bytes: u32): u32 {
  return readMetadataValue(room, bytes);
}

export function micro(): u64 {
  return valueMicro();
}

export function costOf(value: u64, times: u64): u64 {
  return settledCost(value, times);
}

export function levelAfter(level: i64, capacity: i64, reserved: u32, cost: u32): i64 {
  return settledLevel(level, capacity, reserved, cost);
}
