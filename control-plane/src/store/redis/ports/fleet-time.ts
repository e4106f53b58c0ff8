// The fleet clock as all control planes over a store have it.
import type { FleetReading, FleetTime } from "../../../app/ports/fleet-time.js";
import { wholeMs } from "../../whole-ms.js";
import { LIFE, lifeOf } from "../reading/life-read.js";
import { strings } from "../reading/reads.js";
import type { Reads } from "../reading/reads.js";
import { RAISE_FLEET_TIME } from "../scripts.js";
import type { Commits } from "../writing/commits.js";

export class RedisFleetTime implements FleetTime {
  constructor(
    private readonly reads: Reads,
    private readonly commits: Commits,
  ) {}

  async read(): Promise<FleetReading> {
    const { position, answers } = await this.reads.run([LIFE]);
    return { log: position.log, ms: lifeOf(position, answers[0]).fleetMs };
  }

  async raise({ log, ms }: FleetReading): Promise<FleetReading> {
    const reply = await this.commits.guarded(RAISE_FLEET_TIME, [log, String(wholeMs(ms))], []);
    const [now, stands] = strings(reply);
    return { log: String(now), ms: Number(stands) };
  }
}
