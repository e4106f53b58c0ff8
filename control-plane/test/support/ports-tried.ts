// Starting what listens on ports that were free a moment ago.

/** How often other ports are tried where another program took one that was free. */
const PORTS_TRIED = 5;

/** @param taken what a start that found its port taken is rejected with; each start looks for ports of its own */
export async function onFreePorts<Started>(taken: RegExp, start: () => Promise<Started>): Promise<Started> {
  for (let tried = 1; ; tried++) {
    try {
      return await start();
    } catch (error) {
      if (tried === PORTS_TRIED || !taken.test(String(error))) throw error;
    }
  }
}
