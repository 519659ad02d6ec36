/** What risk says of an order before it is placed, where the settings want it to be asked (domain.md §11.1, step 3). */
import { beforehand } from '../../platform/command.ts';
import { refuse } from '../../platform/errors.ts';
import type { Context } from './context.ts';
import { settings } from './settings.ts';
import { strategies } from './strategies.ts';

const CHECK = /* GraphQL */ `
  query PreTradeCheck($input: PreTradeCheckInput!) {
    preTradeCheck(input: $input) {
      isAllowed
      checks { isPassed message limit { limitId } }
    }
  }
`;

interface Answer {
  preTradeCheck: {
    isAllowed: boolean;
    checks: { isPassed: boolean; message: string; limit: { limitId: string } | null }[];
  } | null;
}

/** An order as risk is told of it. */
export interface OrderInMind {
  strategyId: string;
  symbol: string;
  side: 'BUY' | 'SELL';
  quantity: string;
  /** Null or left out of a market order. */
  price?: string | null | undefined;
}

/**
 * Asks risk, and gives what throws its refusal inside the command: limit breached, or domain unavailable where it did not
 * answer in time. Null for nothing to ask about: the command says why.
 */
export function askRisk(context: Context, order: OrderInMind | null): Promise<() => void> {
  return beforehand('risk', async () => {
    if (!settings.asksRisk || order === null) return;
    const strategy = await context.load(strategies, order.strategyId);
    if (strategy === null) return; // the command says so
    const { strategyId, symbol, side, quantity, price = null } = order;
    const input = { strategyId, accountId: strategy.accountId, symbol, side, quantity, price };
    const asked = context.graph.request<Answer>(CHECK, { input }, { traceId: context.traceId });
    const { preTradeCheck } = await inTime(asked, settings.riskTimeoutMs);
    if (preTradeCheck === null) throw refuse.domainUnavailable('risk');
    if (preTradeCheck.isAllowed) return;
    const failed = preTradeCheck.checks.find(({ isPassed }) => !isPassed);
    throw refuse.limitBreached(failed?.limit?.limitId ?? null, failed?.message ?? 'Risk does not allow it.');
  });
}

async function inTime<Value>(work: Promise<Value>, timeoutMs: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(refuse.domainUnavailable('risk')), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
