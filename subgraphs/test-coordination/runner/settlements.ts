/** Settling what a run has traded. */
import type { BenchIds } from './bench.ts';
import { type Desk, persist, Refused } from './desk.ts';

/** Every trade becomes a settlement, and each settlement is settled, within this. */
const WITHIN_MS = 30_000; // 30 seconds

const TRADES = `query ($filter: ExchangeTradeFilter) { exchangeTrades(filter: $filter, first: 500) { nodes { tradeId executedAt } } }`;

const SETTLEMENTS = `query ($filter: SettlementFilter) { settlements(filter: $filter, first: 500) {
  nodes { settlementId status exchangeTrade { tradeId } } } }`;

export interface TradeToSettle {
  tradeId: string;
  executedAt: string;
}

export async function tradesOf(desk: Desk, accountId: string): Promise<TradeToSettle[]> {
  return (await desk.ask(TRADES, { filter: { accountId } })).exchangeTrades.nodes;
}

interface FoundSettlement {
  settlementId: string;
  status: string;
}

/** Settlements of both accounts of the run. */
export async function settlementsOf(desk: Desk, { clientId, makerClientId }: BenchIds): Promise<FoundSettlement[]> {
  const [own, others] = await Promise.all(
    [clientId, makerClientId].map(async (client): Promise<FoundSettlement[]> => {
      return (await desk.ask(SETTLEMENTS, { filter: { clientId: client } })).settlements.nodes;
    }),
  );
  return [...(own ?? []), ...(others ?? [])];
}

/** How many trades of either account there are, and how many are settled. */
export async function settledCount(desk: Desk, ids: BenchIds): Promise<{ trades: number; settled: number }> {
  const [own, others, settlements] = await Promise.all([
    tradesOf(desk, ids.accountId),
    tradesOf(desk, ids.makerId),
    settlementsOf(desk, ids),
  ]);
  const settled = settlements.filter(({ status }) => status === 'COMPLETED').length;
  return { trades: own.length + others.length, settled };
}

/**
 * Settles every trade of the run now, though it may not be due: the time of a test is not that of the markets. What has
 * failed is tried again.
 */
export async function settleTrades(desk: Desk, ids: BenchIds): Promise<number> {
  const retried = new Set<string>();
  return persist(
    async () => {
      for (const { settlementId, status } of await settlementsOf(desk, ids)) {
        if (status === 'FAILED' && !retried.has(settlementId)) {
          retried.add(settlementId);
          await unlessDone(desk.send('retrySettlement', { settlementId }));
        }
        if (status === 'PENDING') await unlessDone(desk.send('startSettlement', { settlementId }));
        if (status === 'PENDING' || status === 'IN_PROGRESS' || status === 'PARTIALLY_SETTLED') {
          await unlessDone(desk.send('completeSettlement', { settlementId }));
        }
      }
      const { trades, settled } = await settledCount(desk, ids);
      return settled >= trades ? settled : null;
    },
    { withinMs: WITHIN_MS },
  );
}

/** Somebody else may have done it, or an injected fault stands in the way until it is over. */
async function unlessDone(sent: Promise<unknown>): Promise<void> {
  await sent.catch((error: unknown) => {
    if (!(error instanceof Refused) || error.code === 'NOT_FOUND') throw error;
  });
}
