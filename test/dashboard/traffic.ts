// Clients of a monitored installation: of every plan, of routes with shadow enforcement and with settlement, and some without
// a good token. More than its limits allow, in waves.
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { TokenMint } from "../host/harness/scenes/tokens.js";
import { Random } from "../host/harness/host/random.js";
import { Door } from "../fleet/parts/door.js";
import type { Site } from "../fleet/parts/site.js";
import type { IssuedSession } from "../e2e/harness/control-plane-client.js";
import type { Monitored } from "./monitored.js";
import { ROUTES } from "./policy.js";

const TURN_MS = 20;
const SECOND_MS = 1000;
const WAVE_SECONDS = 60;
/** Sessions that are used a little, and come back: more than a table has room for. Odd, so that each comes to both Envoys in turn. */
const PASSERS_BY = 1601;
/** Calls under way, while they are issued. */
const AT_A_TIME = 20;

/** Requests of one kind. */
interface Stream {
  readonly path: string;
  readonly perSecond: number;
  /** Whether it comes and goes. */
  readonly inWaves: boolean;
  /** The token of its next request; null: it has none. */
  readonly token: () => string | null;
}

const wave = (second: number): number => 0.6 + 0.4 * Math.sin((2 * Math.PI * second) / WAVE_SECONDS);

export class Traffic {
  private readonly doors: readonly Door[];
  private readonly over = new AbortController();
  private running: Promise<void> | undefined;
  private turn = 0;

  private constructor(
    private readonly streams: readonly Stream[],
    /** May be revoked, and others put in their place. */
    readonly passersBy: IssuedSession[],
    monitored: Monitored,
  ) {
    this.doors = monitored.envoys.map(({ ports }) => new Door(ports[0] ?? 0));
  }

  /** Resolves once it has begun. */
  static async start(site: Site, monitored: Monitored): Promise<Traffic> {
    const [{ api }] = monitored.planes;
    const issue = async (plan: string, count: number): Promise<IssuedSession[]> => {
      const issued: IssuedSession[] = [];
      while (issued.length < count) {
        const some = Array.from({ length: Math.min(AT_A_TIME, count - issued.length) }, () => api.issue(plan));
        issued.push(...(await Promise.all(some)));
      }
      return issued;
    };
    const passersBy = await issue("free", PASSERS_BY);
    const tokens = {
      free: await issue("free", 4),
      gold: await issue("gold", 3),
      team: await issue("team", 2),
      passersBy,
    };
    const traffic = new Traffic(streamsOf(tokens, site), passersBy, monitored);
    await site.ends.add(() => traffic.stop());
    await Promise.all(traffic.doors.map((door) => door.opened()));
    traffic.running = traffic.run();
    return traffic;
  }

  async stop(): Promise<void> {
    this.over.abort();
    await this.running;
    for (const door of this.doors) door.close();
  }

  private async run(): Promise<void> {
    const beganMs = performance.now();
    const owed = this.streams.map(() => 0);
    let beforeMs = beganMs;
    while (!this.over.signal.aborted) {
      const nowMs = performance.now();
      for (const [nth, stream] of this.streams.entries()) {
        const share = stream.inWaves ? wave((nowMs - beganMs) / SECOND_MS) : 1;
        owed[nth] = Math.min(
          (owed[nth] ?? 0) + (stream.perSecond * share * (nowMs - beforeMs)) / SECOND_MS,
          stream.perSecond,
        );
        for (; (owed[nth] ?? 0) >= 1; owed[nth] = (owed[nth] ?? 0) - 1) this.send(stream);
      }
      beforeMs = nowMs;
      await delay(TURN_MS);
    }
  }

  private send({ path, token }: Stream): void {
    const door = this.doors[this.turn++ % this.doors.length];
    if (door?.takes !== true) return;
    const shown = token();
    void door.ask({ ":path": path, ...(shown !== null && { "x-session-id": shown }) });
  }
}

interface Sessions {
  readonly free: readonly IssuedSession[];
  readonly gold: readonly IssuedSession[];
  readonly team: readonly IssuedSession[];
  readonly passersBy: readonly IssuedSession[];
}

function streamsOf({ free, gold, team, passersBy }: Sessions, { secret }: Site): Stream[] {
  // Of another installation: its tags are not ours.
  const stranger = new TokenMint(randomBytes(32).toString("hex"), new Random(1));
  const unknown = new TokenMint(secret, new Random(2));
  const waves = { path: ROUTES.plain, inWaves: true };
  const steady = { path: ROUTES.plain, inWaves: false };
  return [
    { ...waves, perSecond: 70, token: inTurn(free) },
    { ...waves, perSecond: 50, token: inTurn(gold) },
    { ...waves, perSecond: 130, token: inTurn(team) },
    { ...waves, path: ROUTES.shadowed, perSecond: 20, token: inTurn(free.slice(0, 1)) },
    { ...steady, path: ROUTES.settled, perSecond: 8, token: inTurn(gold.slice(0, 2)) },
    { ...steady, perSecond: 90, token: inTurn(passersBy) },
    { ...steady, perSecond: 3, token: () => null },
    { ...steady, perSecond: 2, token: () => stranger.mint(Date.now()).token },
    { ...steady, perSecond: 1, token: () => unknown.mint(Date.now()).token },
  ];
}

/** One after the other, as they are then. */
function inTurn(sessions: readonly IssuedSession[]): () => string | null {
  let turn = 0;
  return () => sessions[turn++ % sessions.length]?.token ?? null;
}
