// The response side of a stream that settles: where its route says that the response tells what the request cost, that is
// read as it passes. Nothing is held back or changed.
import { SETTLE_HEADER, SETTLE_JSON, SETTLE_METADATA, SETTLE_TRAILER } from "../../domain/policy/settle-model";
import { USAGE_INVALID } from "../../domain/usage/outcome";
import { readMetadataValue, readValueText, valueMicro } from "../../domain/usage/value";
import { headerBytes, headerValue, readResponseHeader, readResponseTrailer } from "../../host/headers";
import { propertyBytes, propertyValue, readProperty } from "../../host/properties";
import { bodyBlock, readResponseBody } from "../../host/response-body";
import { NOT_FOUND, OK } from "../../host/status";
import { lowerCase } from "../../memory/ascii";
import { FixedText, fixedText } from "../../memory/bytes";
import { READS_EVENTS, READS_JSON, READS_NOTHING, SettleNote, noteOfStream } from "../state/settle-notes";
import { settleNote } from "./settle";

const CONTENT_TYPE = fixedText("content-type");
const CONTENT_ENCODING = fixedText("content-encoding");
const IDENTITY = fixedText("identity");
const JSON_TYPE = fixedText("application/json");
const EVENTS_TYPE = fixedText("text/event-stream");
const CODE_DETAILS = fixedText("response\0code_details");
/** Envoy's response code details of an answer that is not its own. */
const VIA_UPSTREAM = fixedText("via_upstream");
const SEMICOLON: u8 = 0x3b;

/** The response's headers have come. */
export function readUsageHead(contextId: u32, isEnd: bool): void {
  const note = noteOfStream(contextId);
  if (note == null) return;
  note.isOfService = isOfService();
  if (note.isOfService) {
    const source = note.rule.source;
    if (source == SETTLE_HEADER) takeText(note, readResponseHeader(note.rule.text, note.rule.textBytes));
    else if (source == SETTLE_JSON) chooseReader(note);
    // An answer without a body has its trailers here, as a gRPC error does.
    else if (source == SETTLE_TRAILER && isEnd) takeText(note, readResponseHeader(note.rule.text, note.rule.textBytes));
  }
  // Metadata may be written until the stream ends.
  if (note.rule.source != SETTLE_METADATA && (isEnd || note.rule.source == SETTLE_HEADER)) settleNote(note);
}

/** A piece of the response's body. */
export function readUsageBody(contextId: u32, bytes: u32, isEnd: bool): void {
  const note = noteOfStream(contextId);
  if (note == null) return;
  if (note.reads != READS_NOTHING) readBody(note, bytes);
  if (isEnd && note.rule.source != SETTLE_METADATA) settleNote(note);
}

export function readUsageTrailers(contextId: u32): void {
  const note = noteOfStream(contextId);
  if (note == null || note.rule.source == SETTLE_METADATA) return;
  if (note.rule.source == SETTLE_TRAILER && note.isOfService) {
    takeText(note, readResponseTrailer(note.rule.text, note.rule.textBytes));
  }
  settleNote(note);
}

/** The stream has ended, however that came. What was read until then counts. */
export function endUsage(contextId: u32): void {
  const note = noteOfStream(contextId);
  if (note == null) return;
  if (note.rule.source == SETTLE_METADATA && note.isOfService) takeMetadata(note);
  settleNote(note);
}

function takeText(note: SettleNote, status: u32): void {
  if (status == NOT_FOUND) return;
  // What does not fit 4 KiB is no number.
  note.found = status == OK ? readValueText(headerValue(), headerBytes()) : USAGE_INVALID;
  note.micro = valueMicro();
}

function takeMetadata(note: SettleNote): void {
  const status = readProperty(note.rule.text, note.rule.textBytes);
  if (status == NOT_FOUND) return;
  note.found = status == OK ? readMetadataValue(propertyValue(), propertyBytes()) : USAGE_INVALID;
  note.micro = valueMicro();
}

/** Envoy's own answers, as for a service that failed, say nothing of what a request cost. */
function isOfService(): bool {
  if (readProperty(CODE_DETAILS.address, CODE_DETAILS.bytes) != OK) return true;
  return isText(VIA_UPSTREAM, propertyValue(), propertyBytes());
}

function chooseReader(note: SettleNote): void {
  if (readResponseHeader(CONTENT_ENCODING.address, CONTENT_ENCODING.bytes) == OK) {
    note.isCompressed = headerBytes() != 0 && !isText(IDENTITY, headerValue(), headerBytes());
    if (note.isCompressed) return;
  }
  if (readResponseHeader(CONTENT_TYPE.address, CONTENT_TYPE.bytes) != OK) return;
  const value = headerValue();
  const length = typeLength(value, headerBytes());
  if (isText(JSON_TYPE, value, length)) {
    note.reads = READS_JSON;
    note.json.start();
  } else if (isText(EVENTS_TYPE, value, length)) {
    note.reads = READS_EVENTS;
    note.events.start();
  }
}

function readBody(note: SettleNote, bytes: u32): void {
  const pointer = note.rule.text;
  let at: u32 = 0;
  while (at < bytes) {
    const length = readResponseBody(at);
    if (length == 0) break;
    at += length;
    if (note.reads == READS_EVENTS) {
      note.events.take(pointer, bodyBlock(), length);
    } else {
      note.json.take(pointer, bodyBlock(), length);
      if (!note.json.wantsMore) break;
    }
  }
  takeRead(note);
}

/** What has been read so far: the stream may end at any moment. */
function takeRead(note: SettleNote): void {
  if (note.reads == READS_EVENTS) {
    note.found = note.events.outcome;
    note.micro = note.events.micro;
    return;
  }
  note.found = note.json.outcome;
  note.micro = note.json.micro;
  if (!note.json.wantsMore) note.reads = READS_NOTHING;
}

/** Without parameters, as in `application/json; charset=utf-8`. */
function typeLength(value: usize, length: u32): u32 {
  let end: u32 = 0;
  while (end < length && load<u8>(value + end) != SEMICOLON) end++;
  while (end > 0 && load<u8>(value + end - 1) == 0x20) end--;
  return end;
}

/** Whether it is the text, in whatever case. */
function isText(text: FixedText, value: usize, length: u32): bool {
  if (length != text.bytes) return false;
  for (let i: u32 = 0; i < length; i++) {
    if (lowerCase(load<u8>(value + i)) != load<u8>(text.address + i)) return false;
  }
  return true;
}
