/** Daily returns and balances, which risk reads from the graph now and then and keeps. */

import { type Decimal, dec } from '../../../platform/decimal.ts';
import type { GraphClient } from '../../../platform/graph-client.ts';
import { exchangeAccountId } from '../references.ts';
import { type DailyReturns, dailyReturns } from '../rules/daily-changes.ts';
import { balancesDocument, barsDocument } from './documents.ts';

/** Daily bars change once a day. */
const RETURNS_TTL_MS = 600_000; // 10 minutes

/** Fields of one operation. */
const AT_ONCE = 20;

export const LONGEST_LOOKBACK = 365;

interface Bars {
  nodes: { startTime: string; close: string }[];
}

export class Returns {
  private readonly graph: GraphClient;
  private readonly kept = new Map<string, { at: number; returns: Promise<DailyReturns> }>();

  constructor(graph: GraphClient) {
    this.graph = graph;
  }

  /** The returns of each symbol, up to a year back; empty where there are no bars. */
  async of(symbols: readonly string[]): Promise<Map<string, DailyReturns>> {
    const now = Date.now();
    const missing = symbols.filter((symbol) => now - (this.kept.get(symbol)?.at ?? 0) > RETURNS_TTL_MS);
    for (let i = 0; i < missing.length; i += AT_ONCE) this.read(missing.slice(i, i + AT_ONCE), now);
    const all = await Promise.all(
      symbols.map(async (symbol) => [symbol, (await this.kept.get(symbol)?.returns) ?? new Map()] as const),
    );
    return new Map(all);
  }

  private read(symbols: readonly string[], now: number): void {
    const variables = Object.fromEntries(symbols.map((symbol, i) => [`s${i}`, symbol]));
    const bars = this.graph.request<Record<string, Bars | null>>(barsDocument(symbols.length), {
      ...variables,
      first: LONGEST_LOOKBACK + 1,
    });
    for (const [i, symbol] of symbols.entries()) {
      const returns = bars.then((data) => dailyReturns(data[`b${i}`]?.nodes ?? []));
      returns.catch(() => this.kept.delete(symbol));
      this.kept.set(symbol, { at: now, returns });
    }
  }
}

/** Units that an account holds, by asset. */
export type Balances = ReadonlyMap<string, Decimal>;

interface BalancePage {
  nodes: { asset: { code: string } | null; total: string }[];
}

export class BalanceBook {
  private readonly graph: GraphClient;
  private readonly kept = new Map<string, { at: number; balances: Balances }>();

  constructor(graph: GraphClient) {
    this.graph = graph;
  }

  /** What is known; null of an account that was never read. */
  of(accountId: string): Balances | null {
    return this.kept.get(accountId)?.balances ?? null;
  }

  /** Reads what is older than `ttlMs`. What the exchange does not answer stays as it was. */
  async refresh(accountIds: readonly string[], ttlMs: number): Promise<void> {
    const now = Date.now();
    const ids = accountIds.flatMap((accountId) => {
      const uuid = exchangeAccountId(accountId);
      return uuid !== null && now - (this.kept.get(accountId)?.at ?? 0) >= ttlMs ? [{ accountId, uuid }] : [];
    });
    for (let i = 0; i < ids.length; i += AT_ONCE) {
      const some = ids.slice(i, i + AT_ONCE);
      const variables = Object.fromEntries(some.map(({ uuid }, k) => [`a${k}`, uuid]));
      const data = await this.graph.request<Record<string, BalancePage | null>>(
        balancesDocument(some.length),
        variables,
      );
      for (const [k, { accountId }] of some.entries()) {
        const nodes = data[`a${k}`]?.nodes ?? [];
        const balances = new Map(
          nodes.flatMap(({ asset, total }) => (asset ? [[asset.code, dec(total)] as const] : [])),
        );
        this.kept.set(accountId, { at: now, balances });
      }
    }
  }
}
