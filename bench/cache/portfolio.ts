/** What is asked: the README's portfolio over three subgraphs, of accounts with a hundred positions each. */

export const ACCOUNTS = 10;
export const INSTRUMENTS = 100;

export const PORTFOLIO = /* GraphQL */ `
  query Portfolio($accountId: ID!) {
    portfolio(accountId: $accountId) {
      totalMarketValue
      totalUnrealizedPnl
      totalRealizedPnl
      grossExposure
      netExposure
      account { client { clientId } status }
      balances { asset { code name } available locked }
      positions(first: ${INSTRUMENTS}, sortOrder: ASC) {
        nodes {
          quantity
          averageEntryPrice
          currentPrice
          marketValue
          unrealizedPnl
          instrument { symbol ticker { lastPrice bid ask } }
        }
      }
      openOrders {
        nodes { side quantity price status instrument { symbol } }
      }
    }
  }
`;

export function accountId(index: number): string {
  return `00000000-0000-4000-9000-${String(index).padStart(12, '0')}`;
}

/** Accounts are asked for in turn: requests for the same one at once would share their work. */
export function variablesOf(nth: number): { accountId: string } {
  return { accountId: accountId(nth % ACCOUNTS) };
}

export function positionId(account: number, instrument: number): string {
  return `bench-${account}-${instrument}`;
}

export function symbolOf(instrument: number): string {
  return `A${instrument}-USD`;
}
