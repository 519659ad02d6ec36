/**
 * Follows what the exchange does with routed orders. Its live events only ring: what has happened is read from it anew, of
 * many orders at once, and every few seconds of all that are live, so that a lost event costs seconds and never a fill.
 * The process that leads trading's feed does it for all.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from '../../../platform/database/sql.ts';
import { Doorbell } from '../../../platform/doorbell.ts';
import type { Listener } from '../../../platform/feed/hub.ts';
import { follow } from '../../../platform/following.ts';
import type { ServiceParts } from '../../../platform/subgraph.ts';
import type { Context } from '../context.ts';
import { ORDER_TRANSITIONS, type OrderStatus } from '../rules/order-lifecycle.ts';
import { type CatchingUpParts, catchUp } from './catching-up.ts';
import { forgetRoutes } from './routes.ts';

export interface Follower {
  stop(): Promise<void>;
}

/** Live orders are looked at this often, whatever is told of them. */
const SWEEP_MS = 3_000; // 3 seconds

/** So often, orders that have ended lately are looked at too: nothing should happen to them any more. */
const WIDE_SWEEP_MS = 300_000; // 5 minutes

/** How far back each of them looks for orders that have ended. */
const SHORT_MEMORY = '1 minute';
const LONG_MEMORY = '1 day';

/** While no routed order lives, whether one does is asked after this. */
const IDLE_MS = 30_000; // 30 seconds

/** Reads of the exchange that one process has under way at once. */
const BATCHES_AT_ONCE = 4;

/** Events that come within this are read together. */
const GATHER_MS = 10;

/** Accounts whose events are listened to, half of what one socket carries; orders of others are found by the sweeps. */
const ACCOUNTS_LIMIT = 100;

/** The way to the graph is tried again after this, with some chance. */
const RETRY_MS = 500;

const CHANGES = /* GraphQL */ `
  subscription FollowRoutedOrders($accountId: ID!, $after: String) {
    exchangeOrderChanges(accountId: $accountId, after: $after) { cursor order { orderId } }
  }
`;

interface Change {
  cursor: string;
  order: { orderId: string } | null;
}

interface LiveOrder {
  exchangeOrderId: string;
  accountId: string;
}

export function startFollower(parts: ServiceParts<Context['prisma']>, catching: CatchingUpParts): Follower {
  return new RunningFollower(parts, catching);
}

class RunningFollower implements Follower {
  private readonly parts: ServiceParts<Context['prisma']>;
  private readonly catching: CatchingUpParts;
  private readonly stopping = new AbortController();
  private readonly doorbell = new Doorbell();
  /** Orders that are to be looked at. */
  private readonly touched = new Set<string>();
  /** Orders that are brought to where the exchange is just now; one that hangs keeps no other waiting. */
  private readonly busy = new Set<string>();
  private readonly catchingUp = new Set<Promise<void>>();
  private readonly accounts = new Map<string, { abort(): void; ended: Promise<void> }>();
  private readonly listener: Listener;
  private readonly running: Promise<void>;
  private sweepAt = 0;
  private wideSweepAt = 0;

  constructor(parts: ServiceParts<Context['prisma']>, catching: CatchingUpParts) {
    this.parts = parts;
    this.catching = catching;
    this.listener = {
      relation: 'orders',
      offer: ({ row }) => {
        const isLive = row.exchangeOrderId !== null && ORDER_TRANSITIONS[row.status as OrderStatus].length > 0;
        if (row.execution === 'routed' && isLive) this.see(String(row.accountId), String(row.exchangeOrderId));
      },
      settle: () => undefined,
      beat: () => undefined,
      reset: () => this.sweepSoon(),
    };
    parts.feed.hub.attach(this.listener);
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.parts.feed.hub.detach(this.listener);
    this.stopping.abort();
    this.doorbell.ring();
    await this.running;
    await this.listenTo([]);
    await Promise.all(this.catchingUp);
  }

  /** An order that is at the exchange: what happened to it before its account was listened to was not told. */
  private see(accountId: string, exchangeOrderId: string): void {
    if (!this.parts.feed.isLeader() || this.accounts.has(accountId)) return;
    this.touch(exchangeOrderId);
    if (this.accounts.size < ACCOUNTS_LIMIT) this.sweepSoon();
  }

  private sweepSoon(): void {
    this.sweepAt = 0;
    this.doorbell.ring();
  }

  private touch(exchangeOrderId: string): void {
    this.touched.add(exchangeOrderId);
    this.doorbell.ring();
  }

  private async run(): Promise<void> {
    const { feed, log } = this.parts;
    while (!this.stopping.signal.aborted) {
      try {
        await feed.ready();
        if (feed.isLeader()) await this.look();
        else await this.rest();
        await this.doorbell.wait(feed.isLeader() ? this.sweepAt - Date.now() : SWEEP_MS);
        await sleep(GATHER_MS, undefined, this.stopping);
      } catch (error) {
        log.debug({ err: error }, 'the exchange could not be followed; it is again');
        await sleep(RETRY_MS * (1 + Math.random()), undefined, this.stopping).catch(() => undefined);
      }
    }
  }

  /** Another process follows. */
  private async rest(): Promise<void> {
    this.touched.clear();
    await this.listenTo([]);
  }

  private async look(): Promise<void> {
    if (Date.now() >= this.sweepAt) await this.sweep();
    const free = [...this.touched].filter((id) => !this.busy.has(id));
    if (free.length === 0 || this.catchingUp.size === BATCHES_AT_ONCE) return;
    for (const id of free) {
      this.touched.delete(id);
      this.busy.add(id);
    }
    const batch = this.catchUp(free).finally(() => {
      this.catchingUp.delete(batch);
      if (this.touched.size > 0) this.doorbell.ring();
    });
    this.catchingUp.add(batch);
  }

  /** Never rejects: what could not be brought there is looked at with the next sweep. */
  private async catchUp(ids: readonly string[]): Promise<void> {
    try {
      await catchUp(this.catching, ids, (id) => this.busy.delete(id));
    } catch (error) {
      this.parts.log.debug({ err: error }, 'the exchange could not be caught up with; it is again');
    } finally {
      for (const id of ids) this.busy.delete(id);
    }
  }

  /** All that live are to be looked at, and listened to. */
  private async sweep(): Promise<void> {
    const isWide = Date.now() >= this.wideSweepAt;
    this.sweepAt = Date.now() + SWEEP_MS;
    const orders = await this.liveOrders(isWide ? LONG_MEMORY : SHORT_MEMORY);
    for (const { exchangeOrderId } of orders) this.touched.add(exchangeOrderId);
    await this.listenTo([...new Set(orders.map(({ accountId }) => accountId))].slice(0, ACCOUNTS_LIMIT));
    if (orders.length === 0 && this.sweepAt !== 0) this.sweepAt = Date.now() + IDLE_MS;
    if (!isWide) return;
    await forgetRoutes(this.parts.db, LONG_MEMORY);
    this.wideSweepAt = Date.now() + WIDE_SWEEP_MS;
  }

  private liveOrders(memory: string): Promise<LiveOrder[]> {
    return this.parts.db.query<LiveOrder>(
      sql`select exchange_order_id, account_id from order_routes join orders using (order_id)
           where (ended_at is null or ended_at > clock_timestamp() - ${memory}::interval)
             and exchange_order_id is not null
           order by ended_at is not null, order_id`,
    );
  }

  /** Listens to these accounts, and to no others. */
  private async listenTo(accountIds: readonly string[]): Promise<void> {
    const wanted = new Set(accountIds);
    const gone = [...this.accounts].filter(([accountId]) => !wanted.has(accountId));
    for (const [accountId, { abort }] of gone) {
      this.accounts.delete(accountId);
      abort();
    }
    for (const accountId of wanted) {
      if (this.accounts.has(accountId)) continue;
      const leaving = new AbortController();
      const ended = this.listen(accountId, leaving.signal);
      this.accounts.set(accountId, { abort: () => leaving.abort(), ended });
    }
    await Promise.all(gone.map(([, { ended }]) => ended));
  }

  /** Tells of each order of the account that moves, from where it was when the way is interrupted. Never rejects. */
  private listen(accountId: string, signal: AbortSignal): Promise<void> {
    let after: string | null = null;
    const following = {
      document: CHANGES,
      field: 'exchangeOrderChanges',
      variables: () => ({ accountId, after }),
      take: ({ cursor, order }: Change) => {
        after = cursor;
        if (order) this.touch(order.orderId);
      },
    };
    return follow(this.parts, following, signal);
  }
}
