/** What is measured: one portfolio over three subgraphs. */

export const ACCOUNT_ID = '00000000-0000-4000-8000-000000000001';

export const PORTFOLIO = `query Portfolio($accountId: ID!) {
  portfolio(accountId: $accountId) {
    totalMarketValue totalUnrealizedPnl totalRealizedPnl grossExposure netExposure
    account { accountId type status }
    balances { asset { code } available locked }
    openExchangeOrders(first: 10) { nodes { orderId side quantity price } }
    positions(first: 50) {
      nodes {
        quantity averageEntryPrice currentPrice markedAt marketValue unrealizedPnl
        instrument { symbol ticker { lastPrice bid ask } }
      }
    }
  }
}`;
