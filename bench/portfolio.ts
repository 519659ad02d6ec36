/** What is measured: one portfolio over three subgraphs. */
import { explorerTabs } from '../gateway/explorer-tabs.ts';

export interface Request {
  query: string;
  variables?: { accountId: string };
}

/** The README's query, as the explorer has it in its first tab. */
const README: Request = { query: explorerTabs[0]?.query ?? '' };

/** The same shape for the toys, with ten positions in five instruments. */
const TOY = `query Portfolio($accountId: ID!) {
  portfolio(accountId: $accountId) {
    totalMarketValue totalUnrealizedPnl totalRealizedPnl grossExposure netExposure
    account { type status }
    balances { asset { code } available locked }
    positions(first: 50) {
      nodes {
        quantity averageEntryPrice currentPrice marketValue unrealizedPnl
        instrument { symbol ticker { lastPrice bid ask } }
      }
    }
    openExchangeOrders(first: 10) { nodes { side quantity price } }
  }
}`;

/** Accounts asked in turn, so that no two requests at once are the same: sharing those is not what is measured. */
const TOY_ACCOUNTS = 500;

/** The nth request of a run. */
export function portfolioRequest(source: string, n: number): Request {
  if (source !== 'memory') return README;
  const accountId = `00000000-0000-4000-8000-${String(n % TOY_ACCOUNTS).padStart(12, '0')}`;
  return { query: TOY, variables: { accountId } };
}
