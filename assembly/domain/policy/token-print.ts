// Prints what a policy says of the token and of access logs, as a part of print.ts.
import { JsonWriter } from "../json/writer";
import { Policy } from "./model";
import { ANNOTATIONS, BEARER, SOURCE_BEARER, SOURCE_COOKIE, TokenSource } from "./token-model";

/** `header`, the short form, is printed as what it stands for. */
export function printToken(policy: Policy, json: JsonWriter): void {
  json.name("token").beginObject();
  json.name("from").beginArray();
  for (let i = 0; i < policy.tokenSources.length; i++) printSource(policy.tokenSources[i], json);
  json.endArray();
  json.name("forward").raw(policy.forwardToken ? "true" : "false");
  json.name("identity").raw(policy.identity ? "true" : "false");
  json.endObject();
}

/** In one order, whatever the document's is. */
export function printAnnotate(policy: Policy, json: JsonWriter): void {
  json.name("annotate").beginArray();
  for (let i = 0; i < ANNOTATIONS.length; i++) {
    if ((((<i32>policy.annotate) >> i) & 1) != 0) json.string(ANNOTATIONS[i]);
  }
  json.endArray();
}

function printSource(source: TokenSource, json: JsonWriter): void {
  json.beginObject();
  if (source.kind == SOURCE_BEARER) json.name("authorization").string(BEARER);
  else json.name(source.kind == SOURCE_COOKIE ? "cookie" : "header").string(source.name);
  json.endObject();
}
