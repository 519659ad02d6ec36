/** The simulated market: prices tick, a market maker quotes, strategies trade. It speaks to the graph alone. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { GraphClient } from '../../platform/graph-client.ts';
import type { Logger } from '../../platform/log.ts';
import { MARKET_MAKER } from '../../prisma/demo/accounts.ts';
import { barRoutine } from './bars.ts';
import { SOURCE } from './courses.ts';
import { marketMakerRoutine } from './market-maker.ts';
import type { Markets } from './markets.ts';
import { createMinuteBars } from './minute-bars.ts';
import { priceRoutine } from './prices.ts';
import { type Runner, runnerOf } from './routine.ts';
import { stoppable } from './stoppable.ts';
import { STRATEGIES } from './strategies.ts';
import { tradingRoutine } from './trading.ts';
import { createTroubles } from './troubles.ts';

export interface SimulationOptions {
  graph: GraphClient;
  log: Logger;
  /** The same seed, clock and graph give the same commands. @default 1 */
  seed?: number;
  /** Ticks a second of each market, 0.1 to 20. @default 1 */
  rate?: number;
  /** The clock, in milliseconds since 1970. @default Date.now */
  now?: () => number;
}

export interface Simulator {
  /** Ends it at once, and comes back when nothing of it is under way any more. */
  stop(): Promise<void>;
}

/** Lets the market live until it is stopped. What fails is logged once and tried again; it never throws. */
export function startSimulator(options: SimulationOptions): Simulator {
  const { now = Date.now } = options;
  const { graph, signal, stop } = stoppable(options.graph);
  const runners = createSimulation({ ...options, graph });
  const living = Promise.all(runners.map((runner) => live(runner, now, signal)));
  return {
    async stop() {
      await stop();
      await living;
    },
  };
}

/** The parts of the simulation, in the order in which they begin; each is run on its own. */
export function createSimulation({ graph, log, seed = 1, rate = 1, now = Date.now }: SimulationOptions): Runner[] {
  const troubles = createTroubles(log, now);
  const markets: Markets = new Map();
  const bars = createMinuteBars(SOURCE);
  const shared = { graph, markets, bars, troubles, seed, rate, run: `${seed}-${now().toString(36)}` };
  const routines = [
    priceRoutine(shared),
    barRoutine(shared),
    marketMakerRoutine({ ...shared, accountId: MARKET_MAKER }),
    ...STRATEGIES.map((habits) => tradingRoutine({ ...shared, habits })),
  ];
  return routines.map((routine) => runnerOf(routine, { troubles, log }));
}

async function live(runner: Runner, now: () => number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const began = performance.now();
    const pauseMs = await runner.run(now());
    const remainingMs = Math.max(pauseMs - (performance.now() - began), 0);
    await sleep(remainingMs, undefined, { signal }).catch(() => {}); // stopped: the loop sees it
  }
}
