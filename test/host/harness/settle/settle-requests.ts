// What is known of the requests of a run: which is under way on which worker, what it reserved, and what its response said.
import type { Stream } from "../host/stream.js";
import type { Vm } from "../host/vm.js";
import type { Session } from "../scenes/tokens.js";
import type { Reservation } from "./settle-arithmetic.js";
import { finalCost, type Path } from "./settle-policies.js";

/** One request and its stream. */
export interface Sent {
  readonly session: Session;
  readonly path: Path;
  readonly vm: Vm;
  stream?: Stream;
  isAdmitted: boolean;
  reserved?: Reservation;
  /** `maybe`: so many others were to be settled that it is not known whether there was a note. */
  noted: "yes" | "no" | "maybe";
  /** What its response said of its cost, until now. */
  said?: string;
  /** All was said, so it is to be settled. */
  isDone: boolean;
  isSettled: boolean;
  /** With its worker's VM. */
  isLost: boolean;
  /** Of one that is being settled: its record was such, for a moment, that nothing is to be written. */
  mayPass: boolean;
}

export function sentBy(vm: Vm, session: Session, path: Path): Sent {
  const state = {
    isAdmitted: false,
    noted: "no",
    isDone: false,
    isSettled: false,
    isLost: false,
    mayPass: false,
  } as const;
  return { session, path, vm, ...state };
}

/** Whether there is something to settle, as far as is known. */
export function isOpen(sent: Sent): sent is Sent & { reserved: Reservation } {
  return sent.reserved !== undefined && sent.noted !== "no" && !sent.isSettled && !sent.isLost;
}

/** Nothing more will be said; or its session has ended, and its stream was closed with it. */
export function isOver({ isDone, stream }: Sent): boolean {
  return isDone || stream?.state === "closed";
}

export function costOf({ path, said, reserved }: Sent): number {
  return finalCost(path, said, reserved?.tokens ?? 0);
}

/** What a worker is doing: one callback, or several of one stream. */
export interface Doing {
  readonly what: "request" | "answer" | "settle" | "tick";
  readonly sent?: Sent;
  lostWrites: number;
}
