/** Waiting for what must come about, however slow the machine is. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Load, PageName, Reading } from './load.ts';

/** What has not come about by then never will. */
const PATIENCE_MS = 45_000; // 45 seconds
const POLL_MS = 20;

export async function until(what: string, isSo: () => boolean): Promise<void> {
  const givenUpAt = performance.now() + PATIENCE_MS;
  while (!isSo()) {
    if (performance.now() > givenUpAt) throw new Error(`It did not come about that ${what}.`);
    await sleep(POLL_MS);
  }
}

/** Waits until so many more deposits are acknowledged, and are known to whoever follows the balance. */
export async function untilWritten(load: Load, more: number): Promise<void> {
  const goal = load.acknowledged() + more;
  await until(`${more} deposits are acknowledged`, () => load.acknowledged() >= goal);
  await until('they are told live', () => load.followed() >= goal);
}

/** Answers to a page in a row, in both graphs, by which a state is told from a moment. */
const IN_A_ROW = 10;

/** Waits until the page is answered so for a while. */
export async function untilRead(load: Load, page: PageName, isSo: (reading: Reading) => boolean): Promise<void> {
  const from = load.readings.length;
  const isSoIn = (graph: Reading['graph']) => {
    const readings = load.readings.slice(from).filter((reading) => reading.page === page && reading.graph === graph);
    return readings.length >= IN_A_ROW && readings.slice(-IN_A_ROW).every(isSo);
  };
  await until(`${page} is read so`, () => isSoIn('leader') && isSoIn('follower'));
}

export function isWhole({ codes, degraded }: Reading): boolean {
  return codes.length === 0 && degraded.length === 0;
}

/** "exchange POSTGRESQL" of each store that was not to be had for any of them. */
export function storesIn(readings: readonly Reading[]): string[] {
  return [...new Set(readings.flatMap(({ degraded }) => degraded.map(({ domain, store }) => `${domain} ${store}`)))];
}
