/** What phases do. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Action } from '../rules/definition.ts';
import { scaledMs } from '../rules/timing.ts';
import { type BenchIds, ended, trade } from './bench.ts';
import { closePositions, releaseLimits } from './clear-up.ts';
import { type Desk, messageOf, Refused } from './desk.ts';
import type { Disturbances } from './disturbances.ts';
import { settleTrades } from './settlements.ts';

/** Orders that the run has placed, for its error rate and its throughput. */
export interface OrderTally {
  placed: number;
  refused: number;
  /** What placing them took. */
  ms: number;
}

export interface ActionContext {
  desk: Desk;
  ids: BenchIds;
  disturbances: Disturbances;
  timeScale: number;
  signal: AbortSignal;
  orders: OrderTally;
}

/** Does the action, and gives what there is to say of it. Throws where it cannot be done. */
export async function perform(action: Action, context: ActionContext): Promise<string | null> {
  const { desk, ids, disturbances, timeScale, signal } = context;
  if (action.delaySeconds > 0) await sleep(scaledMs(action.delaySeconds, timeScale), undefined, { signal });
  signal.throwIfAborted();
  switch (action.action) {
    case 'start_market_scenario':
      await disturbances.startMarketScenario(action, timeScale);
      return `${action.type} of ${action.symbols.join(', ')}`;
    case 'stop_market_scenario':
      await disturbances.clear('market_scenario');
      return null;
    case 'inject_fault':
      await disturbances.injectFault(action.service, action.kind, action.parameters);
      return `${action.kind} in ${action.service}`;
    case 'clear_faults':
      await disturbances.clear(action.service);
      return `of ${action.service}`;
    case 'place_orders':
      return placeOrders(action, context);
    case 'settle':
      return `${await settleTrades(desk, ids)} trades are settled`;
    case 'release_limits':
      await closePositions(desk, ids);
      await releaseLimits(desk, ids);
      return null;
    case 'wait':
      await sleep(scaledMs(action.seconds, timeScale), undefined, { signal });
      return null;
  }
}

type PlaceOrders = Extract<Action, { action: 'place_orders' }>;

async function placeOrders(action: PlaceOrders, context: ActionContext): Promise<string> {
  const { desk, ids, timeScale, signal, orders, disturbances } = context;
  const { symbol, side, quantity, count, everySeconds, mayBeRefused } = action;
  const startedAt = Date.now();
  disturbances.lastAt ??= startedAt;
  const own = { placed: 0, refused: 0 };
  const placed: string[] = [];
  for (let nth = 0; nth < count; nth++) {
    signal.throwIfAborted();
    try {
      placed.push(await trade(desk, ids, { symbol, side, quantity }));
      own.placed++;
    } catch (error) {
      if (!mayBeRefused || !(error instanceof Refused || isTransient(error))) throw error;
      own.refused++;
    }
    if (everySeconds > 0) await sleep(scaledMs(everySeconds, timeScale), undefined, { signal });
  }
  for (const orderId of placed) {
    const { status, errorMessage } = await ended(desk, orderId);
    if (status === 'FILLED' || mayBeRefused) continue;
    throw new Error(`an order is ${status}${errorMessage ? `: ${errorMessage}` : ''}`);
  }
  orders.placed += own.placed;
  orders.refused += own.refused;
  orders.ms += Date.now() - startedAt;
  return `${own.placed} placed, ${own.refused} refused`;
}

/** A domain that is disturbed does not answer. */
function isTransient(error: unknown): boolean {
  return /does not answer|no answer within/.test(messageOf(error));
}
