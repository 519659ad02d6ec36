/** The full calculation of every portfolio: what it is worth and may lose, stored where something has changed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from '../../../platform/database/sql.ts';
import type { Statements } from '../../../platform/database/transaction.ts';
import type { ServiceParts } from '../../../platform/subgraph.ts';
import { insertMetrics, metricsOf } from '../measures/calculation.ts';
import { type PortfolioReport, type Portfolios, USUAL } from './portfolios.ts';

/** Points are a minute apart. */
const MINUTE_MS = 60_000;

/** What has not moved is stored again after this, so that the history has no holes. */
const REPEAT_MS = 900_000; // 15 minutes

/** Accounts are calculated in parts, so that an order that is to be checked does not wait for all of them. */
const AT_ONCE = 10;

export class Recalculation {
  private readonly parts: ServiceParts;
  private readonly portfolios: Portfolios;
  private readonly stored = new Map<string, { hash: string; minute: number; at: number }>();

  constructor(parts: ServiceParts, portfolios: Portfolios) {
    this.parts = parts;
    this.portfolios = portfolios;
  }

  async run(now: Date): Promise<void> {
    const { book, balances, history } = this.portfolios;
    const accountIds = book.accountIds();
    await balances
      .refresh(accountIds, 0)
      .catch((error: unknown) =>
        this.parts.log.debug({ err: error }, 'balances are not to be had; the last ones stand'),
      );
    await this.portfolios.wantBalances(accountIds);
    await history.refresh();
    for (let i = 0; i < accountIds.length; i += AT_ONCE) {
      const reports = await Promise.all(
        accountIds.slice(i, i + AT_ONCE).map((accountId) => this.portfolios.report(accountId)),
      );
      await this.store(reports, now);
      await sleep(0);
    }
    await history.refresh(true);
  }

  private async store(reports: readonly PortfolioReport[], now: Date): Promise<void> {
    const { db, feed } = this.parts;
    const at = now.getTime();
    const minute = Math.floor(at / MINUTE_MS) * MINUTE_MS;
    const changed = reports.flatMap((report) => {
      const metrics = metricsOf(report, USUAL);
      const hash = metrics[0]?.inputsHash ?? '';
      const before = this.stored.get(report.accountId);
      const isSame = before?.hash === hash && at - before.at < REPEAT_MS;
      return isSame ? [] : [{ report, metrics, hash, isNewMinute: before?.minute !== minute }];
    });
    if (changed.length === 0) return;
    const points = changed.filter(({ isNewMinute }) => isNewMinute).map(({ report }) => report);
    if (points.length > 0) await storePoints(db, points, now);
    await insertMetrics(
      db,
      changed.flatMap(({ metrics }) => metrics),
      null,
    );
    feed.ring();
    for (const { report, hash } of changed) this.stored.set(report.accountId, { hash, minute, at });
  }
}

/** What portfolios are worth in this minute. Another process may have stored it: the first one stands. */
export async function storePoints(tx: Statements, reports: readonly PortfolioReport[], now: Date): Promise<void> {
  const minute = new Date(Math.floor(now.getTime() / MINUTE_MS) * MINUTE_MS);
  await tx.query(sql`
    insert into portfolio_points (account_id, minute, total_pnl, equity, exposure)
    select account_id, ${minute}::timestamptz, total_pnl::numeric, equity::numeric, exposure::numeric
      from unnest(${reports.map(({ accountId }) => accountId)}::text[],
                  ${reports.map(({ totalPnl }) => totalPnl.toFixed(8))}::text[],
                  ${reports.map(({ equity }) => equity?.toFixed(8) ?? null)}::text[],
                  ${reports.map(({ grossExposure }) => grossExposure.toFixed(8))}::text[])
           as new (account_id, total_pnl, equity, exposure)
    on conflict do nothing`);
}
