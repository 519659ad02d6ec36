/**
 * The engine that trades for a run, as the trading system engine does (domain.md §10): it halts and reduces when risk says
 * so, trades differences of prices, and says what it sees of pegs and settlements.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { dec } from '../../../platform/decimal.ts';
import type { Bench } from '../rules/definition.ts';
import { deadlineMs, scaledMs } from '../rules/timing.ts';
import { type BenchIds, benchIds, type OwnPrices, trade } from './bench.ts';
import { closePositions } from './clear-up.ts';
import { type Desk, messageOf } from './desk.ts';
import type { Hold } from './hold.ts';
import { settlementsOf, tradesOf } from './settlements.ts';

const ROUND_MS = 200;

export interface EngineEvents {
  /** When the strategy was halted, positions were reduced, a difference was traded; in milliseconds. */
  haltedAt: number | null;
  reducedAt: number | null;
  arbitrageAt: number | null;
}

const CRITICAL = `query ($filter: RiskAlertFilter) { riskAlerts(filter: $filter, first: 10) { nodes { alertId metricName } } }`;

export class Engine {
  readonly events: EngineEvents = { haltedAt: null, reducedAt: null, arbitrageAt: null };
  private readonly ids: BenchIds;
  private readonly raised = new Set<string>();
  private readonly stopping = new AbortController();
  private readonly desk: Desk;
  private readonly hold: Hold;
  private readonly bench: Bench;
  private readonly prices: OwnPrices;
  private readonly running: Promise<void>;
  private problem = '';

  constructor(parts: { desk: Desk; hold: Hold; bench: Bench; prices: OwnPrices }) {
    this.desk = parts.desk;
    this.hold = parts.hold;
    this.bench = parts.bench;
    this.prices = parts.prices;
    this.ids = benchIds(parts.hold.runId);
    this.running = this.work();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async work(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      for (const duty of [
        () => this.prices.tell(),
        () => this.heedAlerts(),
        () => this.tradeDifferences(),
        () => this.watchPeg(),
        () => this.watchSettlements(),
      ]) {
        if (!signal.aborted) await duty().catch((error: unknown) => this.complain(error));
      }
      await sleep(ROUND_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** A domain that is disturbed does not answer; the next round asks again. Said once as long as it is the same. */
  private async complain(error: unknown): Promise<void> {
    const problem = messageOf(error);
    if (problem === this.problem) return;
    this.problem = problem;
    await this.hold.log('debug', `the engine goes on without: ${problem}`).catch(() => undefined); // the run is in other hands
  }

  private async heedAlerts(): Promise<void> {
    if (!this.bench.engine.haltsOnAlert || this.events.reducedAt !== null) return;
    const filter = { accountId: this.ids.accountId, statuses: ['ACTIVE', 'ACKNOWLEDGED'], severities: ['CRITICAL'] };
    const { riskAlerts } = await this.desk.ask(CRITICAL, { filter });
    const [alert] = riskAlerts.nodes;
    if (!alert) return;
    const { strategyId } = this.ids;
    if (this.events.haltedAt === null) {
      const { strategy } = await this.desk.ask('query ($id: ID!) { strategy(id: $id) { status } }', { id: strategyId });
      if (strategy?.status === 'ACTIVE') await this.desk.send('pauseStrategy', { strategyId });
      this.events.haltedAt = Date.now();
      await this.hold.log('info', `the strategy is halted: ${alert.metricName}`, { kind: 'engine', action: 'halt' });
    }
    await closePositions(this.desk, this.ids);
    this.events.reducedAt = Date.now();
    await this.hold.log('info', 'positions are reduced', { kind: 'engine', action: 'reduce' });
  }

  private async tradeDifferences(): Promise<void> {
    const least = this.bench.engine.arbitrageMinimumBps;
    if (least === undefined || this.events.arbitrageAt !== null) return;
    for (const { symbol } of this.bench.instruments) {
      const found = await divergenceOf(this.desk, symbol);
      if (found === null || found.bps < least) continue;
      const side = found.exchangeIsDearer ? 'SELL' : 'BUY';
      await trade(this.desk, this.ids, { symbol, side, quantity: '1' });
      this.events.arbitrageAt = Date.now();
      await this.hold.log('info', `a difference of ${found.bps.toFixed(1)} basis points is traded`, {
        kind: 'engine',
        action: 'arbitrage',
      });
    }
  }

  private async watchPeg(): Promise<void> {
    const peg = this.bench.engine.watchesPeg;
    if (peg === undefined) return;
    const { ticker } = await this.desk.ask('query ($s: String!) { ticker(symbol: $s) { lastPrice } }', {
      s: peg.symbol,
    });
    if (!ticker) return;
    const distance = dec(ticker.lastPrice).minus(peg.par).div(peg.par).abs();
    if (distance.lt(peg.tolerance)) return;
    await this.raise('correlation', `${peg.symbol} does not follow its par any more.`, {
      currentValue: distance.toDecimalPlaces(8).toFixed(),
      thresholdValue: dec(peg.tolerance).toFixed(),
    });
  }

  private async watchSettlements(): Promise<void> {
    const due = this.bench.engine.settlementDueSeconds;
    if (due === undefined) return;
    const dueMs = Math.max(scaledMs(due, Number(this.hold.run.timeScale)), 1_000);
    const trades = [
      ...(await tradesOf(this.desk, this.ids.accountId)),
      ...(await tradesOf(this.desk, this.ids.makerId)),
    ];
    const late = trades.filter(({ executedAt }) => Date.now() - Date.parse(executedAt) > dueMs);
    if (late.length === 0) return;
    const settlements = await settlementsOf(this.desk, this.ids).catch(() => []); // nobody can say that they are settled
    const settled = settlements.filter(({ status }) => status === 'COMPLETED').length;
    if (settled >= late.length) return;
    await this.raise('settlement_delay', `${late.length - settled} settlements are overdue: liquidity may run short.`, {
      currentValue: String(late.length - settled),
      thresholdValue: '0',
    });
  }

  private async raise(metricName: string, message: string, values: object): Promise<void> {
    if (this.raised.has(metricName)) return;
    await this.desk.send('raiseAlert', {
      severity: 'HIGH',
      metricName,
      message,
      scope: { accountId: this.ids.accountId },
      dedupKey: `test:${this.hold.runId}:${metricName}`.slice(0, 255),
      expiresAt: new Date(Date.now() + deadlineMs(3_600, 1)).toISOString(),
      ...values,
    });
    this.raised.add(metricName);
    await this.hold.log('info', `the engine raises an alert: ${metricName}`, { kind: 'engine', action: 'alert' });
  }
}

/** How far the published price and the exchange's last one lie apart; null where one is not known. */
export async function divergenceOf(
  desk: Desk,
  symbol: string,
): Promise<{ bps: number; exchangeIsDearer: boolean } | null> {
  const { ticker, orderBook } = await desk.ask(
    'query ($s: String!) { ticker(symbol: $s) { lastPrice } orderBook(symbol: $s, depth: 1) { lastPrice } }',
    { s: symbol },
  );
  if (!ticker || !orderBook?.lastPrice) return null;
  const [published, traded] = [dec(ticker.lastPrice), dec(orderBook.lastPrice)];
  const [low, high] = published.lt(traded) ? [published, traded] : [traded, published];
  return { bps: high.minus(low).div(low).times(10_000).toNumber(), exchangeIsDearer: traded.gt(published) };
}
