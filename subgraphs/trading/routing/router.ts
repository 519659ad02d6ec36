/**
 * Sends routed orders to the exchange, and cancels there those that are not wanted any more. It claims what is due, at most
 * so much at once; every process does, and none waits for another. Whatever the exchange does meanwhile is follower.ts's.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../../platform/database/database.ts';
import { sql } from '../../../platform/database/sql.ts';
import { Doorbell } from '../../../platform/doorbell.ts';
import type { Listener } from '../../../platform/feed/hub.ts';
import type { ServiceParts } from '../../../platform/subgraph.ts';
import type { Context } from '../context.ts';
import { ORDER_TRANSITIONS, type OrderStatus } from '../rules/order-lifecycle.ts';
import { cancelAtExchange, isTooLate, placeAtExchange } from './at-exchange.ts';
import { type CatchingUpParts, catchUp, perform } from './catching-up.ts';
import {
  type ClaimedOrder,
  claimRoutes,
  nextDueInMs,
  postpone,
  postponeUntilCertain,
  recordPlaced,
  recordUnplaced,
} from './routes.ts';
import { type Settling, settlingOf } from './settling.ts';

export interface Router {
  /** Something was committed here that may be due at once. */
  wake(): void;
  /** Begins to watch an order that is about to be cancelled. */
  settlingOf(orderId: string): Settling;
  stop(): Promise<void>;
}

/** Orders that one process carries at once: each takes a request to the exchange and a connection or two. */
const AT_ONCE = 8;

/** What nobody told of is found after this. */
const LONGEST_WAIT_MS = 30_000; // 30 seconds

/** What is due and was left to another process is looked at again after this. */
const SHORTEST_WAIT_MS = 20;

/** When the database does not answer, it is asked again after this, with some chance. */
const RETRY_MS = 500;

export function startRouter(parts: ServiceParts<Context['prisma']>, catching: CatchingUpParts): Router {
  const running = new RunningRouter(parts, catching);
  return {
    wake: () => running.wake(),
    settlingOf: (orderId) => settlingOf(parts, orderId),
    stop: () => running.stop(),
  };
}

class RunningRouter {
  private readonly parts: ServiceParts<Context['prisma']>;
  private readonly catching: CatchingUpParts;
  private readonly doorbell = new Doorbell();
  private readonly stopping = new AbortController();
  private readonly carried = new Set<Promise<void>>();
  private readonly listener: Listener;
  private readonly running: Promise<void>;

  constructor(parts: ServiceParts<Context['prisma']>, catching: CatchingUpParts) {
    this.parts = parts;
    this.catching = catching;
    this.listener = {
      relation: 'orders',
      offer: ({ row }) => {
        const isWaiting = row.execution === 'routed' && (row.status === 'pending' || row.cancelRequestedAt !== null);
        if (isWaiting && ORDER_TRANSITIONS[row.status as OrderStatus].length > 0) this.wake();
      },
      settle: () => undefined,
      beat: () => undefined,
      reset: () => this.wake(),
    };
    parts.feed.hub.attach(this.listener);
    this.running = this.run();
  }

  wake(): void {
    this.doorbell.ring();
  }

  async stop(): Promise<void> {
    this.parts.feed.hub.detach(this.listener);
    this.stopping.abort();
    this.wake();
    await this.running;
    await Promise.all(this.carried);
  }

  private async run(): Promise<void> {
    const { db, feed, log } = this.parts;
    while (!this.stopping.signal.aborted) {
      try {
        await feed.ready(); // what is placed from now on is offered
        await this.doorbell.wait(await this.claim(db));
      } catch (error) {
        log.debug({ err: error }, 'what is due could not be asked for; it is again');
        await sleep(RETRY_MS * (1 + Math.random()), undefined, this.stopping).catch(() => undefined);
      }
    }
  }

  /** Takes up what is due, and says after how long to look again unless somebody rings. */
  private async claim(db: Database): Promise<number> {
    const free = AT_ONCE - this.carried.size;
    if (free === 0) return LONGEST_WAIT_MS;
    const claimed = await claimRoutes(db, free);
    for (const order of claimed) {
      const carrying = this.carry(order).finally(() => {
        this.carried.delete(carrying);
        this.wake();
      });
      this.carried.add(carrying);
    }
    if (claimed.length === free) return LONGEST_WAIT_MS;
    const dueInMs = await nextDueInMs(db);
    return Math.min(Math.max(dueInMs ?? LONGEST_WAIT_MS, SHORTEST_WAIT_MS), LONGEST_WAIT_MS);
  }

  /** Brings the order one step on. Never rejects. */
  private async carry(order: ClaimedOrder): Promise<void> {
    const { db, log } = this.parts;
    try {
      await (order.exchangeOrderId === null ? this.send(order) : this.cancel(order, order.exchangeOrderId));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.debug({ err: error, orderId: order.orderId }, 'an order could not be carried on; it will be again');
      await postpone(db, order, reason).catch(() => undefined); // the claim lapses by itself
    }
  }

  private async send(order: ClaimedOrder): Promise<void> {
    const { db, graph, health } = this.parts;
    const answer = await placeAtExchange(graph, order, health.service);
    const context = this.catching.contextOf(order.traceId);
    if ('order' in answer) {
      const { order: placed } = answer;
      await perform(context, 'recordPlaced', (tx) => recordPlaced(tx, { ...order, traceId: context.traceId }, placed));
      if (placed.status !== 'OPEN' && placed.status !== 'PENDING') await catchUp(this.catching, [placed.orderId]);
      return;
    }
    const { refusal } = answer;
    if (order.doubtUntil !== null) {
      await postponeUntilCertain(db, order);
    } else if (isTooLate(refusal) && !order.isOverdue && order.cancelRequestedAt === null) {
      await postpone(db, order, 'The order reached the exchange too late; it is sent again.');
    } else {
      const reason = isTooLate(refusal) ? 'It could not be sent to the exchange in time.' : refusal.message;
      await perform(context, 'recordUnplaced', (tx) =>
        recordUnplaced(tx, { ...order, traceId: context.traceId }, reason),
      );
    }
  }

  private async cancel(order: ClaimedOrder, exchangeOrderId: string): Promise<void> {
    const answer = await cancelAtExchange(this.parts.graph, exchangeOrderId, order);
    if ('refusal' in answer && answer.refusal.code !== 'INVALID_TRANSITION') throw new Error(answer.refusal.message);
    await catchUp(this.catching, [exchangeOrderId]);
  }
}

/** What is said in the domain's health while orders cannot be carried on. */
export async function complaintsOfRoutes(db: Database) {
  const row = await db.one<{ count: number }>(
    sql`select count(*)::int as count from order_routes join orders using (order_id)
         where due_at is not null and last_error is not null`,
  );
  const count = row?.count ?? 0;
  if (count === 0) return [];
  const they = count === 1 ? '1 order waits' : `${count} orders wait`;
  return [{ status: 'DEGRADED' as const, reason: `${they} for the exchange (lastError of the order tells why).` }];
}
