// The places where a policy looks for tokens, made with an epoch: one block, since each object that is kept is looked at
// after every answer of the control plane.
//
//   0      1            2
//   | kind | name bytes | name | next place …
import { Policy } from "../../domain/policy/model";
import { SOURCE_BEARER, SOURCE_HEADER } from "../../domain/policy/token-model";
import { addressOf, utf8 } from "../../memory/bytes";

const NAME_AT: usize = 2;
const AUTHORIZATION: string = "authorization";

/** A view of a place in its block. */
@unmanaged
export class TokenPlace {
  /** SOURCE_… (token-model.ts). */
  kind: u8;
  /** Of the header's name, in lower case, or the cookie's. */
  nameBytes: u8;

  /** The name's address. */
  @inline
  get name(): usize {
    return changetype<usize>(this) + NAME_AT;
  }

  /** What follows it in its block: the next place, or the block's end. */
  @inline
  get next(): TokenPlace {
    return changetype<TokenPlace>(this.name + this.nameBytes);
  }
}

/** The block of a policy's places, in its order. */
export function tokenPlacesOf(policy: Policy): ArrayBuffer {
  const sources = policy.tokenSources;
  let text = "";
  for (let i = 0; i < sources.length; i++) {
    const kind = sources[i].kind;
    const name = kind == SOURCE_BEARER ? AUTHORIZATION : sources[i].name;
    // Names are ASCII and at most 64 characters long, so that each unit is one byte.
    text += String.fromCharCode(kind) + String.fromCharCode(name.length) + name;
  }
  return utf8(text);
}

// @ts-ignore: decorator
@inline
export function firstPlace(places: ArrayBuffer): TokenPlace {
  return changetype<TokenPlace>(addressOf(places));
}

/** Whether a place is not one of the block, but its end. */
// @ts-ignore: decorator
@inline
export function isPastLast(place: TokenPlace, places: ArrayBuffer): bool {
  return changetype<usize>(place) >= addressOf(places) + places.byteLength;
}

export function hasOneHeader(policy: Policy): bool {
  return policy.tokenSources.length == 1 && policy.tokenSources[0].kind == SOURCE_HEADER;
}

/** Whether the policy wants anything said of a request, or changed in it, before it goes on. */
export function marksRequests(policy: Policy): bool {
  return !policy.forwardToken || policy.identity || policy.annotate != 0;
}
