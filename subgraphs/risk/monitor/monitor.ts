/**
 * Watches limits: at once when a price, a trade or a limit changes, and every 5 seconds anyway. The process that leads the
 * domain's feed (an advisory lock) writes what is found; the others only know it.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from '../../../platform/database/sql.ts';
import { belongsTo, inTransaction } from '../../../platform/database/transaction.ts';
import { type Decimal, dec } from '../../../platform/decimal.ts';
import type { ServiceParts } from '../../../platform/subgraph.ts';
import { newTraceId, traceparentOf } from '../../../platform/trace.ts';
import { escalateDue, expireOver } from '../alerts/raising.ts';
import type { LimitBook } from '../limits/limit-book.ts';
import { forgetOldChecks } from '../reports/check-log.ts';
import { type Band, bandOf } from '../rules/utilisation.ts';
import type { Book } from './book.ts';
import { isStep, STEPS_AT_ONCE, type Step, takeSteps } from './breaches.ts';
import { BreakerWatch } from './breaker-watch.ts';
import type { Portfolios } from './portfolios.ts';
import { Recalculation } from './recalculation.ts';
import { Retention } from './retention.ts';
import { SettlementWatch } from './settlement-watch.ts';
import { enter, nothing, type Reading, readingOf, type StoredState, store, updateBreach } from './states.ts';

/** All limits are looked at so often though nothing has moved. */
const CHECK_MS = 5_000;

/** Everything is calculated anew so often. */
const FULL_MS = 30_000;

/** What moves within this is looked at together. */
const PAUSE_MS = 20;

/** After a look the monitor rests so many times as long as it took: it never takes more than a fifth of its process. */
const REST = 4;

/** After a failure it is tried again after this. */
const RETRY_MS = 500;

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
  /** How long the last breach took, from the look that showed it until its alert was committed. */
  lastAlert: { microseconds: number; at: string } | null = null;
  private readonly parts: ServiceParts;
  private readonly book: Book;
  private readonly limits: LimitBook;
  private readonly portfolios: Portfolios;
  private readonly recalculation: Recalculation;
  private readonly retention: Retention;
  private readonly settlementWatch: SettlementWatch;
  private readonly breakerWatch: BreakerWatch;
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>;
  private known: Map<string, Known> | null = null;
  /** Accounts that have moved, and the trace of what moved each last. */
  private readonly moved = new Map<string, string | null>();
  private wake: (() => void) | null = null;
  private isAllDue = false;
  private fullAt = Number.NEGATIVE_INFINITY;
  private passes = 0;
  /** Whether values at risk and what was before are known: what they are measured with. */
  private isCalculated = false;
  private calculating: Promise<void> | null = null;
  private calculations = 0;

  constructor({ parts, book, limits, portfolios }: MonitorParts) {
    this.parts = parts;
    this.book = book;
    this.limits = limits;
    this.portfolios = portfolios;
    this.recalculation = new Recalculation(parts, portfolios);
    this.retention = new Retention(parts);
    this.settlementWatch = new SettlementWatch(parts);
    this.breakerWatch = new BreakerWatch({ parts, limits, portfolios });
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
    let until = this.passes + 2; // the pass under way may have begun before
    let { calculations } = this;
    while (this.passes < until && !this.stopping.signal.aborted) {
      if (this.calculating || calculations !== this.calculations) {
        until = this.passes + 2; // what is calculated has to be looked at as well
        calculations = this.calculations;
      }
      this.touchAll();
      await sleep(2);
    }
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.wake?.();
    await this.running;
    await this.calculating;
    await this.settlementWatch.stop();
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
      const startedAt = performance.now();
      try {
        await this.pass(isDue);
      } catch (error) {
        this.known = null; // what is stored is read again
        this.isAllDue = true;
        log.warn({ err: error }, 'limits could not be looked at; they will be');
        await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
      const restMs = isDue ? 0 : Math.max(PAUSE_MS, REST * (performance.now() - startedAt));
      await sleep(restMs, undefined, { signal }).catch(() => undefined);
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
      this.isCalculated = false;
      return;
    }
    const now = this.parts.now();
    this.settlementWatch.lookSometimes(now);
    if (this.limits.isCurrent()) await this.breakerWatch.moveOn(now);
    if (!this.book.isFollowing() || !this.limits.isCurrent()) return;
    this.known ??= await this.readStates();
    const isFullDue = isWhole && Math.abs(now.getTime() - this.fullAt) >= FULL_MS;
    if (isFullDue || !this.isCalculated) this.calculating ??= this.calculate(now);
    if (!this.isCalculated) await this.calculating; // without it a limit of it would seem to be kept
    if (!this.isCalculated) throw new Error('Portfolios could not be calculated');
    await this.look(accountIds ?? this.book.accountIds(), isWhole, now, causes);
    if (isWhole) await this.breakerWatch.look(now);
  }

  /** Calculates everything, beside the looks that go on meanwhile, and does what is due now and then. */
  private async calculate(now: Date): Promise<void> {
    this.fullAt = now.getTime();
    try {
      await this.recalculation.run(now);
      this.isCalculated = true;
      await this.upkeep(now);
      await this.retention.run(now);
    } catch (error) {
      this.parts.log.warn({ err: error }, 'portfolios could not be calculated; they will be');
    }
    this.calculating = null;
    this.calculations++;
    this.touchAll();
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
    if (entered.length > 0) await this.enterAll(entered, now, causes, startedAt);
    if (isWhole) await this.storeNotable([...readings.values()], new Set(entered), now);
  }

  /** What is entered belongs to the trace of the change that moved the account, where that is known. */
  private async enterAll(
    entered: readonly Reading[],
    now: Date,
    causes: ReadonlyMap<string, string | null>,
    startedAt: number,
  ): Promise<void> {
    const ownTrace = newTraceId();
    const byTrace = Map.groupBy(
      entered,
      ({ accountId }) => (accountId === null ? null : causes.get(accountId)) ?? ownTrace,
    );
    for (const [traceId, readings] of byTrace) {
      const left = await this.takeSteps(readings, now, traceId, startedAt);
      if (left.length > 0) await this.enterOneByOne(left, now, traceId);
    }
  }

  /** Begins and ends breaches. Gives what is left to be looked at one by one. */
  private async takeSteps(
    readings: readonly Reading[],
    now: Date,
    traceId: string,
    startedAt: number,
  ): Promise<Reading[]> {
    const steps = readings.flatMap((reading): Step[] => {
      const before = this.known?.get(reading.stateId)?.band ?? 'ok';
      const band = bandOf(reading.utilisation, reading.warningAt, before);
      return isStep(before, band) ? [{ reading, before, band }] : [];
    });
    const left = new Set(readings);
    for (let i = 0; i < steps.length; i += STEPS_AT_ONCE) {
      const some = steps.slice(i, i + STEPS_AT_ONCE);
      const taken = await takeSteps(this.parts.db, some, now, traceId);
      this.parts.feed.ring();
      const done = some.filter(({ reading }) => taken.has(reading.stateId));
      for (const { reading, band } of done) {
        this.remember(reading, band);
        left.delete(reading);
      }
      await this.afterBreaches(done, now, traceId, startedAt);
    }
    return [...left];
  }

  private async afterBreaches(done: readonly Step[], now: Date, traceId: string, startedAt: number): Promise<void> {
    if (!done.some(({ band }) => band === 'breached')) return;
    this.lastAlert = { microseconds: Math.round((performance.now() - startedAt) * 1_000), at: now.toISOString() };
    await this.breakerWatch.look(now, traceId);
  }

  private async enterOneByOne(readings: readonly Reading[], now: Date, traceId: string): Promise<void> {
    const bands = await inTransaction(this.parts.db, async (tx) => {
      await tx.query(belongsTo(traceparentOf(traceId)));
      const found: Band[] = [];
      for (const reading of readings) found.push(await enter(tx, reading, now, traceId));
      return found;
    });
    this.parts.feed.ring();
    for (const [i, reading] of readings.entries()) this.remember(reading, bands[i] as Band);
    if (bands.includes('breached')) await this.breakerWatch.look(now, traceId);
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
}
