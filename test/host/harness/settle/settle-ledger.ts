// Holds each write of the session table to what one admission or one settlement may make of a record, and each stream to
// being settled once. It looks at shared data only: what workers do between their host calls is theirs.
import type { HostCall } from "../host/host-calls.js";
import type { Vm } from "../host/vm.js";
import type { Edge } from "../scenes/edge.js";
import type { TableRecord } from "../scenes/table-view.js";
import type { Session } from "../scenes/tokens.js";
import { afterAdmission, figuresOf, reservationOf } from "./settle-arithmetic.js";
import { pays, plansOf, settlementOf, writesNothing, type Circumstances } from "./settle-judgement.js";
import type { PolicyOfRun } from "./settle-policies.js";
import { costOf, isOpen, isOver, type Doing, type Sent } from "./settle-requests.js";

/** What a filter did that it may not do. */
export class WrongSettlement extends Error {}

export class Ledger {
  readonly sent: Sent[] = [];
  /** All that may be in force on a worker. */
  readonly policies: PolicyOfRun[];
  /** What was counted as consumed, by requests and settlements alike. */
  consumed = 0;
  readonly #records = new Map<Session, TableRecord | undefined>();
  readonly #doing = new Map<Vm, Doing>();
  /** On which worker a session has got tokens back since it was denied there. */
  readonly #refundedOn = new Map<Vm, Set<Session>>();
  #casBefore: number | undefined;

  /** @param bounds of the build: how many notes a worker has, and how often it tries to write */
  constructor(
    private readonly edge: Edge,
    sessions: readonly Session[],
    policy: PolicyOfRun,
    private readonly bounds: { readonly notes: number; readonly tries: number },
  ) {
    this.policies = [policy];
    for (const session of sessions) this.#records.set(session, undefined);
    const isWrite = (call: HostCall): boolean => call.name === "proxy_set_shared_data" && edge.table.isSetKey(call.key);
    const casOf = ({ key }: HostCall): number | undefined => edge.host.sharedData.get(key)?.cas;
    edge.host.hooks.each("before", isWrite, (call) => (this.#casBefore = casOf(call)));
    edge.host.hooks.each("after", isWrite, (call) => {
      if (casOf(call) !== this.#casBefore) this.#written(call.vm);
      else this.#doingOf(call.vm).lostWrites += 1;
    });
  }

  record(session: Session): TableRecord | undefined {
    return this.#records.get(session);
  }

  /** A worker begins something. */
  begin(vm: Vm, what: Doing["what"], sent?: Sent): void {
    this.#doing.set(vm, { what, ...(sent && { sent }), lostWrites: 0 });
    this.#noteWhatMayPass();
    if (sent === undefined) return;
    if (what === "request") sent.mayPass = this.#mayPass(sent, what);
    // One that has lost its writes before may have been settled with a tick since.
    else if (isOver(sent)) sent.mayPass ||= this.#mayPass(sent);
  }

  /** It has got to its end. */
  end(vm: Vm): void {
    const { what, sent, lostWrites } = this.#doingOf(vm);
    this.#doing.delete(vm);
    // Requests that waited may have been denied meanwhile.
    if (what === "answer" || what === "tick") this.#refunds(vm).clear();
    if (sent === undefined) return;
    if (what === "settle") this.#endOfSettlement(sent, lostWrites);
    else if (what === "request") this.#endOfRequest(sent);
    if (!isOver(sent)) sent.mayPass = false;
  }

  /** The table was changed by hand, as by another worker. */
  lookAgain(): void {
    for (const session of this.#records.keys()) this.#records.set(session, this.edge.table.record(session.id));
    this.#noteWhatMayPass();
  }

  /** The streams that are over and to be settled still: none may be left once all workers have ticked in peace. */
  checkAllSettled(): void {
    for (const sent of this.sent) {
      if (!isOpen(sent) || !isOver(sent) || sent.noted !== "yes" || sent.mayPass || this.#mayPass(sent)) continue;
      this.#fail(`what ${sent.path} reserved is never settled`);
    }
  }

  #written(vm: Vm): void {
    for (const [session, before] of this.#records) {
      const after = this.edge.table.record(session.id);
      if (before !== undefined && after !== undefined && figuresOf(before) === figuresOf(after)) {
        this.#records.set(session, after);
        continue;
      }
      this.#records.set(session, after);
      // An answer, or an end, is no request: figures are taken as they are, and what was consumed stays.
      const isSpent = before !== undefined && after?.rev === before.rev + 1 && after.live === before.live;
      if (isSpent) this.#explain(vm, session, before, after);
    }
    this.#noteWhatMayPass();
  }

  #explain(vm: Vm, session: Session, before: TableRecord, after: TableRecord): void {
    if (after.refilledAtUs < before.refilledAtUs) this.#fail("time goes back in a record");
    const doing = this.#doingOf(vm);
    const mine = this.sent.filter((sent) => sent.vm === vm && sent.session === session);
    const settling = mine.filter((sent) => isOver(sent) && (doing.what === "tick" || sent === doing.sent));
    // Of several that waited, the one that is entered.
    const entered = mine.filter((sent) => sent.stream !== undefined && sent.stream === vm.context);
    const asking = doing.what === "request" ? mine.filter((sent) => sent === doing.sent) : [...entered, ...mine];
    const isExplained =
      settling.some((sent) => this.#isSettlement(sent, before, after)) ||
      (doing.what !== "settle" && asking.some((sent) => this.#isAdmission(sent, before, after)));
    if (!isExplained) {
      const what = `${doing.what} ${doing.sent?.path ?? ""} (said ${doing.sent?.said ?? "nothing"})`;
      this.#fail(`no request's cost and no settlement: ${what}, ${figuresOf(before)} became ${figuresOf(after)}`);
    }
    this.consumed += after.consumed - before.consumed;
  }

  #isAdmission(sent: Sent, before: TableRecord, after: TableRecord): boolean {
    if (sent.isAdmitted) return false;
    for (const plan of plansOf(before, this.policies)) {
      const reserved = reservationOf(plan, sent.path);
      for (const noted of reserved === undefined ? (["no"] as const) : this.#notesLeft(sent.vm)) {
        const figures = afterAdmission(before, plan, sent.path, noted === "yes", after.refilledAtUs);
        if (figures !== figuresOf(after)) continue;
        sent.isAdmitted = true;
        if (reserved !== undefined)
          Object.assign(sent, { reserved, noted: this.#notesLeft(sent.vm).length > 1 ? "maybe" : noted });
        return true;
      }
    }
    return false;
  }

  /** Whether there is a note for one more, as far as that is known. */
  #notesLeft(vm: Vm): ("yes" | "no")[] {
    const open = this.sent.filter((sent) => sent.vm === vm && isOpen(sent));
    // Those whose stream is over may have been given up with a tick, without a write.
    const sure = open.filter((sent) => sent.noted === "yes" && !isOver(sent)).length;
    if (open.length < this.bounds.notes) return ["yes"];
    return sure >= this.bounds.notes ? ["no"] : ["yes", "no"];
  }

  #isSettlement(sent: Sent, before: TableRecord, after: TableRecord): boolean {
    const came = settlementOf(sent, before, after, this.#circumstances());
    if (came === "moved") this.#noteRefund(sent);
    if (came !== undefined) sent.isSettled = true;
    return came !== undefined;
  }

  /** Whether what the worker is about may come to nothing, as the table stands: a settlement, or a request. */
  #mayPass(sent: Sent, what: Doing["what"] = "settle"): boolean {
    const record = this.#records.get(sent.session);
    const circumstances = this.#circumstances();
    return what === "settle" ? writesNothing(sent, record, circumstances) : !pays(record, sent, circumstances);
  }

  #noteWhatMayPass(): void {
    for (const { what, sent } of this.#doing.values()) {
      if (sent !== undefined) sent.mayPass ||= this.#mayPass(sent, what);
    }
    // A tick may have come upon these, and found nothing to write.
    for (const sent of this.sent) if (isOpen(sent) && isOver(sent)) sent.mayPass ||= this.#mayPass(sent);
  }

  #endOfSettlement(sent: Sent, lostWrites: number): void {
    if (!isOver(sent) || !isOpen(sent) || lostWrites >= this.bounds.tries) return;
    if (sent.noted === "yes" && !sent.mayPass && !this.#mayPass(sent)) {
      this.#fail(`what ${sent.path} reserved is not settled by ${sent.said ?? "no word"}`);
    }
    this.#noteRefund(sent);
    sent.isSettled = true;
  }

  #endOfRequest(sent: Sent): void {
    if (sent.stream?.local?.status !== 429) return;
    const refunds = this.#refunds(sent.vm);
    if (refunds.has(sent.session) && !sent.mayPass)
      this.#fail(`${sent.path} is denied although tokens came back there`);
    refunds.delete(sent.session);
  }

  #refunds(vm: Vm): Set<Session> {
    const known = this.#refundedOn.get(vm) ?? new Set<Session>();
    this.#refundedOn.set(vm, known);
    return known;
  }

  #noteRefund(sent: Sent): void {
    if (isOpen(sent) && sent.noted === "yes" && costOf(sent) < sent.reserved.tokens)
      this.#refunds(sent.vm).add(sent.session);
  }

  #circumstances(): Circumstances {
    return { policies: this.policies, nowUs: this.edge.clock.monotonicNanos / 1000n };
  }

  #doingOf(vm: Vm): Doing {
    const doing = this.#doing.get(vm);
    if (doing === undefined) throw new Error(`${vm.name} does something that the run does not know of`);
    return doing;
  }

  #fail(what: string): never {
    throw new WrongSettlement(what);
  }
}
