/**
 * Watches limits: at once when a price, a trade or a limit changes, and every 5 seconds anyway. The process that leads the
 * domain's feed (an advisory lock) writes what is found; the others only know it.
 */

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from '../../../platform/database/sql.ts';
import { belongsTo, inTransaction } from '../../../platform/database/transaction.ts';
import { type Decimal, dec, sum } from '../../../platform/decimal.ts';
import type { ServiceParts } from '../../../platform/subgraph.ts';
import { traceparentOf } from '../../../platform/trace.ts';
import { escalateDue, expireOver, SYSTEM } from '../alerts/raising.ts';
import { lockBreaker, step } from '../breaker/breaker.ts';
import type { LimitBook } from '../limits/limit-book.ts';
import { forgetOldChecks } from '../reports/check-log.ts';
import { afterwards, RAPID_LOSS_WINDOW_MS, tripOf } from '../rules/breaker.ts';
import { type Band, bandOf } from '../rules/utilisation.ts';
import type { Book } from './book.ts';
import type { Portfolios } from './portfolios.ts';
import { Recalculation } from './recalculation.ts';
import { Retention } from './retention.ts';
import { enter, nothing, type Reading, readingOf, type StoredState, store, updateBreach } from './states.ts';

/** All limits are looked at so often though nothing has moved. */
const CHECK_MS = 5_000;

/** Everything is calculated anew so often. */
const FULL_MS = 30_000;

/** What moves more often than this is looked at together. */
const DEBOUNCE_MS = 100;

/** A utilisation that has moved by less since it was stored is not stored again. */
const NOTABLE = dec('0.001');

export interface MonitorParts {
  parts: ServiceParts;
  book: Book;
  limits: LimitBook;
  portfolios: Portfolios;
}

interface Known {
  state: StoredState;
  utilisation: Decimal;
  band: Band;
}

export class Monitor {
  /** How long the last look at all limits took. */
  lastCheck: { microseconds: number; at: string } | null = null;
  private readonly parts: ServiceParts;
  private readonly book: Book;
  private readonly limits: LimitBook;
  private readonly portfolios: Portfolios;
  private readonly recalculation: Recalculation;
  private readonly retention: Retention;
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>;
  private known: Map<string, Known> | null = null;
  /** Accounts that have moved, and the trace of what moved each last. */
  private readonly moved = new Map<string, string | null>();
  private wake: (() => void) | null = null;
  private isAllDue = false;
  private fullAt = Number.NEGATIVE_INFINITY;
  private pnl: { at: number; total: Decimal }[] = [];
  private passes = 0;

  constructor({ parts, book, limits, portfolios }: MonitorParts) {
    this.parts = parts;
    this.book = book;
    this.limits = limits;
    this.portfolios = portfolios;
    this.recalculation = new Recalculation(parts, portfolios);
    this.retention = new Retention(parts);
    this.running = this.run();
  }

  /** Whether this process writes what is found. */
  isMonitor(): boolean {
    return this.parts.feed.isLeader();
  }

  /** Something has moved of these accounts. */
  touch(accountIds: readonly string[], traceId: string | null = null): void {
    for (const accountId of accountIds) this.moved.set(accountId, traceId ?? this.moved.get(accountId) ?? null);
    if (accountIds.length > 0) this.wake?.();
  }

  /** A limit has changed: everything is looked at. */
  touchAll(): void {
    this.isAllDue = true;
    this.wake?.();
  }

  /** Resolves once everything that has moved until now has been looked at. */
  async settled(): Promise<void> {
    const from = this.passes;
    while (this.passes < from + 2 && !this.stopping.signal.aborted) {
      this.touchAll(); // the pass under way may have begun before
      await sleep(2);
    }
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.wake?.();
    await this.running;
  }

  private async run(): Promise<void> {
    const { log } = this.parts;
    const { signal } = this.stopping;
    let nextCheck = 0;
    while (!signal.aborted) {
      await this.untilDue(nextCheck - Date.now());
      if (signal.aborted) return;
      const isDue = Date.now() >= nextCheck || this.isAllDue;
      if (isDue) nextCheck = Date.now() + CHECK_MS;
      try {
        await this.pass(isDue);
      } catch (error) {
        this.known = null; // what is stored is read again
        this.isAllDue = true;
        log.warn({ err: error }, 'limits could not be looked at; they will be');
        await sleep(DEBOUNCE_MS * 5, undefined, { signal }).catch(() => undefined);
      }
      await sleep(isDue ? 0 : DEBOUNCE_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Waits until something has moved, or for so long. */
  private async untilDue(ms: number): Promise<void> {
    if (ms <= 0 || this.isAllDue || this.moved.size > 0) return;
    const timer = new AbortController();
    const woken = new Promise<void>((resolve) => {
      this.wake = resolve;
    });
    await Promise.race([woken, sleep(ms, undefined, timer).catch(() => undefined)]);
    timer.abort();
    this.wake = null;
  }

  /** Looks at what has moved, or at everything. */
  private async pass(isWhole: boolean): Promise<void> {
    const causes = new Map(this.moved);
    const accountIds = isWhole ? null : [...causes.keys()];
    this.moved.clear();
    if (isWhole) this.isAllDue = false;
    this.passes++;
    if (this.limits.hasAny()) this.book.start();
    if (!this.isMonitor()) {
      this.known = null; // somebody else changes what is stored
      return;
    }
    const now = this.parts.now();
    if (this.limits.isCurrent()) await this.moveBreakerOn(now);
    if (!this.book.isFollowing() || !this.limits.isCurrent()) return;
    this.known ??= await this.readStates();
    if (isWhole && Math.abs(now.getTime() - this.fullAt) >= FULL_MS) {
      this.fullAt = now.getTime();
      await this.recalculation.run(now);
      await this.upkeep(now);
      await this.retention.run(now);
    }
    await this.look(accountIds ?? this.book.accountIds(), isWhole, now, causes);
    if (isWhole) await this.watchBreaker(now);
  }

  private async look(
    accountIds: readonly string[],
    isWhole: boolean,
    now: Date,
    causes: ReadonlyMap<string, string | null>,
  ): Promise<void> {
    const startedAt = performance.now();
    const known = this.known as Map<string, Known>;
    const inForce = this.limits.inForce();
    const readings = new Map<string, Reading>();
    for (const accountId of accountIds) {
      const isStale = this.portfolios.isStale(accountId);
      for (const one of this.portfolios.measure(accountId, inForce)) {
        const reading = readingOf(one, isStale);
        readings.set(reading.stateId, reading);
      }
    }
    const looked = new Set(accountIds);
    for (const [stateId, { state, band, utilisation }] of known) {
      const isConcerned = isWhole || (state.accountId !== null && looked.has(state.accountId));
      if (!readings.has(stateId) && isConcerned && (band !== 'ok' || !utilisation.isZero())) {
        readings.set(stateId, nothing(state));
      }
    }
    const entered = [...readings.values()].filter((reading) => {
      const before = known.get(reading.stateId)?.band ?? 'ok';
      return bandOf(reading.utilisation, reading.warningAt, before) !== before;
    });
    if (isWhole) {
      this.lastCheck = { microseconds: Math.round((performance.now() - startedAt) * 1_000), at: now.toISOString() };
    }
    if (entered.length > 0) await this.enterAll(entered, now, causes);
    if (isWhole) await this.storeNotable([...readings.values()], new Set(entered), now);
  }

  /** What is entered belongs to the trace of the change that moved the account, where that is known. */
  private async enterAll(
    entered: readonly Reading[],
    now: Date,
    causes: ReadonlyMap<string, string | null>,
  ): Promise<void> {
    const ownTrace = randomBytes(16).toString('hex');
    const traceOf = ({ accountId }: Reading) => (accountId === null ? null : causes.get(accountId)) ?? ownTrace;
    const bands = await inTransaction(this.parts.db, async (tx) => {
      const found: Band[] = [];
      for (const reading of entered) {
        const traceId = traceOf(reading);
        await tx.query(belongsTo(traceparentOf(traceId)));
        found.push(await enter(tx, reading, now, traceId));
      }
      return found;
    });
    this.parts.feed.ring();
    for (const [i, reading] of entered.entries()) this.remember(reading, bands[i] as Band);
    const breached = entered.find((_, i) => bands[i] === 'breached');
    if (breached) await this.watchBreaker(now, traceOf(breached));
  }

  private async storeNotable(readings: readonly Reading[], entered: ReadonlySet<Reading>, now: Date): Promise<void> {
    const known = this.known as Map<string, Known>;
    const notable = readings.flatMap((reading) => {
      const before = known.get(reading.stateId);
      const hasMoved = !before || before.utilisation.minus(reading.utilisation).abs().gte(NOTABLE);
      return hasMoved && !entered.has(reading) ? [{ ...reading, band: before?.band ?? ('ok' as const) }] : [];
    });
    if (notable.length === 0) return;
    await inTransaction(this.parts.db, async (tx) => {
      await store(tx, notable, now);
      for (const reading of notable) if (reading.band === 'breached') await updateBreach(tx, reading);
    });
    this.parts.feed.ring();
    for (const reading of notable) this.remember(reading, reading.band);
  }

  private remember(reading: Reading, band: Band): void {
    const { stateId, limitId, accountId, strategyId, instrumentId, asset, utilisation } = reading;
    const state: StoredState = {
      stateId,
      limitId,
      accountId,
      strategyId,
      instrumentId,
      asset,
      thresholdValue: reading.threshold.toFixed(),
      utilisation: utilisation.toFixed(),
      band,
    };
    this.known?.set(stateId, { state, utilisation, band });
  }

  private async readStates(): Promise<Map<string, Known>> {
    const rows = await this.parts.db.query<StoredState>(sql`
      select state_id, limit_id, account_id, strategy_id, instrument_id, asset, threshold_value, utilisation, band
        from limit_states where band <> 'ok' or utilisation > 0`);
    return new Map(
      rows.map((state) => [state.stateId, { state, utilisation: dec(state.utilisation), band: state.band }]),
    );
  }

  /** Escalates and expires what is due. */
  private async upkeep(now: Date): Promise<void> {
    const { db, feed } = this.parts;
    await forgetOldChecks(this.parts);
    const count = await inTransaction(db, async (tx) => (await escalateDue(tx, now)) + (await expireOver(tx, now)));
    if (count > 0) feed.ring();
  }

  /** An open breaker becomes half open, a half-open one closes, when its time has come. */
  private async moveBreakerOn(now: Date): Promise<void> {
    const breaker = this.limits.breaker();
    if (!breaker?.movesOnAt || Date.parse(breaker.movesOnAt) > now.getTime()) return;
    await inTransaction(this.parts.db, async (tx) => {
      const { state, movesOnAt } = await lockBreaker(tx);
      if (state === 'closed' || movesOnAt === null || Date.parse(movesOnAt) > now.getTime()) return;
      const to = afterwards(state);
      const reason =
        to === 'closed' ? 'Nothing has opened it again.' : 'Its time is over: it closes if nothing opens it again.';
      await step(tx, state, { to, cause: null, reason, value: null, by: SYSTEM, traceId: null }, now);
    });
    this.parts.feed.ring();
  }

  /** Opens the breaker where something says so. */
  private async watchBreaker(now: Date, traceId: string | null = null): Promise<void> {
    const { db, feed } = this.parts;
    const at = now.getTime();
    const totalPnl = sum(this.book.accountIds().map((accountId) => this.portfolios.totalPnl(accountId)));
    if (this.pnl.length === 0) this.pnl = await this.readPnl(now);
    this.pnl = [...this.pnl.filter((point) => at - point.at <= RAPID_LOSS_WINDOW_MS), { at, total: totalPnl }];
    const recentPeak = this.pnl.reduce((most, { total }) => (total.gt(most) ? total : most), totalPnl);
    const breaker = this.limits.breaker();
    if (breaker?.state === 'open') return;
    const row = await db.one<{ count: number }>(
      sql`select count(*)::int as count from risk_alerts where status = 'active' and severity = 'critical'`,
    );
    const trip = tripOf({ totalPnl, recentPeak, activeCriticalAlerts: row?.count ?? 0 });
    if (!trip) return;
    await inTransaction(db, async (tx) => {
      const { state } = await lockBreaker(tx);
      if (state === 'open') return;
      const { cause, reason, value } = trip;
      await step(tx, state, { to: 'open', cause, reason, value: value.toFixed(8), by: SYSTEM, traceId }, now);
    });
    feed.ring();
    this.parts.log.warn({ reason: trip.reason }, 'the circuit breaker of trading is open');
  }

  /** P&L of all portfolios in the last minutes, as an earlier monitor stored it. */
  private async readPnl(now: Date): Promise<{ at: number; total: Decimal }[]> {
    const rows = await this.parts.db.query<{ minute: string; total: string }>(sql`
      select minute, sum(total_pnl) as total from portfolio_points
       where minute > ${new Date(now.getTime() - RAPID_LOSS_WINDOW_MS)}::timestamptz
       group by minute having count(*) = (select count(distinct account_id) from portfolio_points
                                           where minute > ${new Date(now.getTime() - RAPID_LOSS_WINDOW_MS)}::timestamptz)`);
    return rows.map(({ minute, total }) => ({ at: Date.parse(minute), total: dec(total) }));
  }
}
