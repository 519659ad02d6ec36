/**
 * Does the backtests that wait, one at a time in each process. A run is claimed for half a minute at a time; a process that
 * is killed renews nothing, and another claims the run and does it from the beginning, which gives the same. Whatever is
 * written names the claim, so that a process that was only slow cannot write over the one that took its run.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isUnreachable } from '../../../platform/database/database-error.ts';
import { type Sql, sql } from '../../../platform/database/sql.ts';
import { Decimal, dec } from '../../../platform/decimal.ts';
import { shown } from '../../../platform/enums.ts';
import { Refusal } from '../../../platform/errors.ts';
import type { Listener } from '../../../platform/feed/hub.ts';
import type { ServiceParts } from '../../../platform/subgraph.ts';
import type { BacktestRow } from './backtests.ts';
import { type BarsWanted, countBars, readBars } from './bars.ts';
import { Tally } from './rules/result.ts';
import { createSignals } from './rules/signals.ts';
import { Simulation } from './rules/simulation.ts';
import { storeResult } from './store-result.ts';

/** How long a claim holds without being renewed: longer than a page of bars ever takes. */
export const CLAIM_SECONDS = 30;

/** Progress is told, and the claim renewed, so often. */
const RENEW_MS = 1_000;

/** New runs are heard of by the feed; claims that lapsed are looked for. */
const LOOK_MS = 5_000;

/** A run that took its processes with it so often is not tried again. */
const ATTEMPTS_LIMIT = 5;

/** What cannot go on because a domain is away is tried again after this. */
const AWAY_SECONDS = 5;

export interface BacktestRunner {
  stop(): Promise<void>;
}

export function startBacktestRunner(parts: ServiceParts): BacktestRunner {
  const runner = new Runner(parts);
  const running = runner.work();
  return {
    async stop() {
      runner.end();
      await running;
    },
  };
}

/** The run is no longer this process's: it was cancelled, taken over, or the process ends. */
class ClaimLost extends Error {}

/** The run cannot be done, and the message says why. */
class Impossible extends Error {}

class Runner {
  private readonly parts: ServiceParts;
  private readonly name = crypto.randomUUID();
  private readonly stopping = new AbortController();
  private readonly listener: Listener;
  private wake = new AbortController();

  constructor(parts: ServiceParts) {
    this.parts = parts;
    this.listener = {
      relation: 'backtest_runs',
      offer: ({ op, row }) => {
        if (op !== 'D' && row.status === 'pending') this.wake.abort();
      },
      settle: () => undefined,
      beat: () => undefined,
      reset: () => this.wake.abort(),
    };
    parts.feed.hub.attach(this.listener);
  }

  end(): void {
    this.parts.feed.hub.detach(this.listener);
    this.stopping.abort();
    this.wake.abort();
  }

  async work(): Promise<void> {
    const { log } = this.parts;
    while (!this.stopping.signal.aborted) {
      this.wake = new AbortController();
      try {
        const run = await this.claim();
        if (run) {
          await this.perform(run);
          continue;
        }
      } catch (error) {
        log.debug({ err: error }, 'backtests are not to be had; they are looked for again');
      }
      if (!this.stopping.signal.aborted) {
        await sleep(LOOK_MS, undefined, { signal: this.wake.signal }).catch(() => undefined);
      }
    }
  }

  /** The oldest run that waits, or whose claim has lapsed. */
  private async claim(): Promise<BacktestRow | null> {
    const { db, feed } = this.parts;
    const run = await db.one<BacktestRow>(sql`
      update backtest_runs
         set status = 'running', claimed_by = ${this.name}, claimed_until = ${inSeconds(CLAIM_SECONDS)}, bars_done = 0,
             attempts = attempts + 1, started_at = coalesce(started_at, clock_timestamp())
       where run_id = (
         select run_id from backtest_runs
          where status = 'pending' and due_at <= clock_timestamp()
             or status = 'running' and claimed_until < clock_timestamp()
          order by created_at, run_id limit 1 for update skip locked)
      returning *`);
    if (run) feed.ring();
    return run;
  }

  private async perform(run: BacktestRow): Promise<void> {
    const { log, feed } = this.parts;
    try {
      if (run.attempts > ATTEMPTS_LIMIT) throw new Impossible(`It was given up after ${ATTEMPTS_LIMIT} attempts.`);
      await this.simulate(run);
    } catch (error) {
      if (error instanceof ClaimLost && !this.stopping.signal.aborted) return;
      // A domain that is away is a refusal of the graph; an own database that is away lets the claim lapse.
      if (error instanceof ClaimLost || error instanceof Refusal || isUnreachable(error)) await this.putBack(run);
      else if (error instanceof Impossible) await this.fail(run, error.message);
      else {
        log.error({ err: error, runId: run.runId }, 'a backtest failed');
        await this.fail(run, 'Internal error');
      }
    }
    feed.ring();
  }

  private async simulate(run: BacktestRow): Promise<void> {
    const { graph, db } = this.parts;
    const wanted = wantedBy(run);
    const barCount = await countBars(graph, wanted);
    if (barCount === 0) throw new Impossible('There is no closed bar of its symbols in its window.');
    await this.renew(run, 0, barCount);
    const sleeves = sleevesOf(run);
    const tally = new Tally(dec(run.initialCapital));
    let barsDone = 0;
    let renewedAt = Date.now();
    for await (const { end, bars } of readBars(graph, wanted)) {
      const trades = [...bars].flatMap(([symbol, bar]) => (sleeves.get(symbol) as Simulation).next(bar));
      tally.add({ at: end, equity: sumOver(sleeves, ({ equity }) => equity) }, bars.size, trades);
      barsDone += bars.size;
      if (this.stopping.signal.aborted) throw new ClaimLost();
      if (Date.now() - renewedAt < RENEW_MS) continue;
      await this.renew(run, barsDone);
      renewedAt = Date.now();
    }
    const closed = [...sleeves.values()].flatMap((sleeve) => sleeve.closed);
    const metrics = tally.metrics(
      closed,
      sumOver(sleeves, ({ unrealizedPnl }) => unrealizedPnl),
    );
    if (!(await storeResult(db, this.heldBy(run), run.runId, tally, metrics))) throw new ClaimLost();
  }

  private async renew(run: BacktestRow, barsDone: number, barCount: number | null = null): Promise<void> {
    const kept = await this.parts.db.query(sql`
      update backtest_runs
         set bars_done = ${barsDone}, bar_count = coalesce(${barCount}::int, bar_count),
             claimed_until = ${inSeconds(CLAIM_SECONDS)}
       where ${this.heldBy(run)} returning run_id`);
    if (kept.length === 0) throw new ClaimLost();
    this.parts.feed.ring();
  }

  /** It waits again, and the attempt does not count: the run is not to blame. */
  private async putBack(run: BacktestRow): Promise<void> {
    await this.parts.db.query(sql`
      update backtest_runs
         set status = 'pending', claimed_by = null, claimed_until = null, attempts = attempts - 1,
             due_at = ${this.stopping.signal.aborted ? sql`clock_timestamp()` : inSeconds(AWAY_SECONDS)}
       where ${this.heldBy(run)}`);
  }

  private async fail(run: BacktestRow, reason: string): Promise<void> {
    await this.parts.db.query(sql`
      update backtest_runs
         set status = 'failed', claimed_by = null, claimed_until = null, finished_at = clock_timestamp(),
             error_message = ${reason}
       where ${this.heldBy(run)}`);
  }

  private heldBy(run: BacktestRow): Sql {
    return sql`run_id = ${run.runId} and status = 'running' and claimed_by = ${this.name}`;
  }
}

function inSeconds(seconds: number): Sql {
  return sql`clock_timestamp() + make_interval(secs => ${seconds}::int)`;
}

function wantedBy({ symbols, interval, fromTime, toTime }: BacktestRow): BarsWanted {
  return { symbols, interval: shown(interval), from: fromTime, to: toTime };
}

/** Each symbol is traded by itself with an equal part of the capital; the first has what does not divide. */
function sleevesOf(run: BacktestRow): Map<string, Simulation> {
  const { symbols, strategyType, parameters } = run;
  const capital = dec(run.initialCapital);
  const part = capital.div(symbols.length).toDecimalPlaces(8, Decimal.ROUND_DOWN);
  const first = capital.minus(part.times(symbols.length - 1));
  const costs = { feeRate: dec(run.feeRate), slippageBps: dec(run.slippageBps) };
  const allocation = dec(String(parameters.allocation));
  return new Map(
    symbols.map((symbol, i) => {
      const cash = i === 0 ? first : part;
      return [symbol, new Simulation(symbol, cash, allocation, createSignals(strategyType, parameters), costs)];
    }),
  );
}

function sumOver(sleeves: Map<string, Simulation>, figure: (sleeve: Simulation) => Decimal): Decimal {
  return [...sleeves.values()].reduce((sum, sleeve) => sum.plus(figure(sleeve)), dec(0));
}
