// What time it is by the store's clock.
import type { StoreTime } from "../../../app/ports/store-time.js";
import { strings } from "../reading/reads.js";
import type { Reads } from "../reading/reads.js";

export class RedisTime implements StoreTime {
  constructor(private readonly reads: Reads) {}

  async timeMs(): Promise<number> {
    const [seconds, micros] = strings(await this.reads.command(["TIME"]));
    return Number(seconds) * 1000 + Number(micros) / 1000;
  }
}
