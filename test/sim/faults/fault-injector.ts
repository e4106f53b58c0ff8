// What goes wrong, and what the operator does: crashes, reloads, restored backups, revocations, sweeps.
import { logName } from "../parts/installation.js";
import { LostFigures } from "./lost-figures.js";
import type { Network } from "../parts/network.js";
import { sessionsIn } from "../parts/said.js";
import { policyHash } from "../parts/policies.js";
import type { SimEdge } from "../parts/sim-edge.js";
import type { Backup } from "../parts/sim-store.js";
import type { World } from "../parts/world.js";

/** Of the calls that are out when the control plane dies: those whose connection is reset at once. */
const RESET_CHANCE = 0.7;

export class FaultInjector {
  readonly lost = new LostFigures();
  #backup: Backup | undefined;
  #logs = 1;

  constructor(
    private readonly world: World,
    private readonly network: Network,
  ) {}

  /** At most one fault, by the chances of the fault profile. False: nothing happened. */
  strike(): boolean {
    const { random, faultProfile, edges, store } = this.world;
    if (faultProfile.trapsInTry > 0 && this.#trips()) return true;
    const edge = random.pick(edges);
    const worker = random.pick(edge.workers);
    const roll = random.below(1_000_000) / 1_000_000;
    let from = 0;
    const strikes = (chance: number): boolean => {
      const hit = roll >= from && roll < from + chance;
      from += chance;
      return hit;
    };
    if (strikes(faultProfile.envoyCrash)) this.#crashEnvoy(edge);
    else if (strikes(faultProfile.planeCrash)) this.#crashPlane("crashes");
    else if (strikes(faultProfile.outage))
      this.#goAway(random.pick([300, 2000, 15_000, 2 * faultProfile.maxAgeMs + 12_000]));
    else if (strikes(faultProfile.cutOff)) this.#cutOff(edge, 2 * faultProfile.maxAgeMs + random.below(30_000));
    else if (strikes(faultProfile.reload)) this.#change(edge, worker, "reload");
    else if (strikes(faultProfile.reconfigure)) this.#change(edge, worker, "configure");
    else if (strikes(faultProfile.restore)) this.backUpOrRestore();
    else if (strikes(faultProfile.revoke)) this.#revokeAny();
    else if (strikes(faultProfile.refresh)) this.#refresh();
    else if (strikes(faultProfile.trim)) store.forgetEntries(1 + random.below(3));
    else if (strikes(faultProfile.sweep)) this.#sweep();
    else if (strikes(faultProfile.publish)) this.#publish();
    else if (strikes(faultProfile.handOver)) this.#handOver();
    else if (strikes(faultProfile.otherLog)) this.#changeLog();
    else return false;
    return true;
  }

  /** For each session that is revoked another one logs in. */
  revoke(sessionId: string): void {
    const { world } = this;
    if (world.isPlaneAway) return;
    world.note(`revoke ${sessionId}`);
    void world.plane.revoke(sessionId);
    world.logInNext();
  }

  backUpOrRestore(): void {
    if (this.#backup === undefined || this.world.random.chance(0.4)) this.backUp();
    else this.restore();
  }

  backUp(): void {
    this.world.note("backup");
    this.#backup = this.world.store.backUp();
    this.world.ledger.limits.spends.backedUp();
  }

  restore(): void {
    const { world } = this;
    if (this.#backup === undefined) return;
    const log = this.#nextLog();
    this.#allowWhatBackupLacks(this.#backup);
    world.store.restore(this.#backup, log);
    this.#crashPlane(`is restored from its backup as ${log}`);
    world.idleness.restored();
    world.ledger.restored(
      world.store.log,
      [...this.#backup.sessions.values()].map(({ session }) => session),
    );
  }

  /** While calls are under way, commits too: what they are answered with may be of either log. */
  #changeLog(): void {
    const { store, ledger, sessions } = this.world;
    const log = this.#nextLog();
    this.world.note(`the store's log becomes ${log}`);
    store.changeLog(log);
    ledger.began(
      log,
      sessions.map(({ id }) => store.stored(id)).filter((one) => one !== undefined),
    );
  }

  #nextLog(): string {
    this.#logs += 1;
    return logName(this.#logs);
  }

  /** A policy that ends the VM which tries it. */
  #trips(): boolean {
    const { random, faultProfile, edges } = this.world;
    for (const edge of edges) {
      const worker = edge.workers.find((one) => edge.isBusy(one) && edge.rules.isTrying(edge.worker(one)));
      if (worker === undefined || !random.chance(faultProfile.trapsInTry)) continue;
      this.#change(edge, worker, "reload");
      return true;
    }
    return false;
  }

  #change(edge: SimEdge, worker: number, how: "reload" | "configure"): void {
    if (how === "configure" && edge.isBusy(worker)) return;
    this.world.note(`${edge.life.edge}/${worker} ${how}`);
    edge[how](worker);
  }

  #crashEnvoy(edge: SimEdge): void {
    const { ledger, store, idleness } = this.world;
    this.world.note(`${edge.life.edge} crashes`);
    const lost = edge.crash();
    this.world.noteLife(edge);
    ledger.limits.spends.crashed(lost);
    for (const [id, spent] of lost.spent) {
      const { consumed } = store.durable(id, lost.instance() ?? "");
      ledger.allow(lost.edge, id, spent - consumed);
      if (spent > consumed) idleness.lost([id]);
    }
  }

  #goAway(ms: number): void {
    this.#crashPlane(`goes away for ${ms} ms`);
    this.world.awayUntilMs = this.world.time.nowMs + ms;
  }

  #cutOff(edge: SimEdge, ms: number): void {
    const { world } = this;
    world.note(`${edge.life.edge} is cut off for ${ms} ms`);
    world.cutOffUntilMs.set(edge.life.edge, world.time.nowMs + ms);
  }

  #crashPlane(why: string): void {
    this.world.note(`control plane ${why}`);
    this.world.restartPlane();
    this.network.breakOff(RESET_CHANCE);
  }

  #allowWhatBackupLacks(backup: Backup): void {
    const { sessions, store, ledger, edges } = this.world;
    for (const { id } of sessions) {
      const rows = [...(backup.sessions.get(id)?.rows.values() ?? [])];
      const had = new Map(rows.map(({ instance, figures }) => [instance, figures?.consumed ?? 0]));
      for (const { edge, instance, figures } of store.durableRows(id)) {
        const lacking = (figures?.consumed ?? 0) - (had.get(instance) ?? 0);
        ledger.allow(edge, id, lacking);
        const holder = edges.find(({ life }) => life.instance() === instance);
        if (holder !== undefined) this.lost.lack(holder, id, lacking);
      }
    }
  }

  #refresh(): void {
    const { world } = this;
    if (world.isPlaneAway) return;
    const { id } = world.evenSession();
    world.note(`refresh ${id}`);
    void world.store.refresh(id);
  }

  /** Another policy, or one of those before: then its bytes come again under a higher generation. */
  #publish(): void {
    const { world } = this;
    const text = world.random.pick(world.policies.texts);
    world.note(`policy ${policyHash(text)} is saved`);
    world.file.save(text);
  }

  #handOver(): void {
    const { world } = this;
    if (world.isPlaneAway) return;
    if (world.retiring === undefined) world.note("control plane: another process takes over");
    if (world.retiring === undefined) world.handOver();
    else world.endHandOver();
  }

  #sweep(): void {
    if (this.world.isPlaneAway) return;
    this.world.note("sweep");
    void this.world.plane.sweep();
  }

  /** A session that is being asked about, if there is one. */
  #revokeAny(): void {
    const { edges, random } = this.world;
    const asked = edges.flatMap(({ calls }) => calls.flatMap(sessionsIn));
    const isAsked = random.chance(0.7) && asked.length > 0;
    this.revoke(isAsked ? random.pick(asked) : this.world.anySession().id);
  }
}
