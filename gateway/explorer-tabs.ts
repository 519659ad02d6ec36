/** What a newcomer finds in the explorer's tabs: each runs as it is on the demo. */

export interface ExplorerTab {
  query: string;
  /** JSON. */
  variables?: string;
}

const ACCOUNT_ID = '00000000-0000-4000-8000-000000000001';

export const explorerTabs: readonly ExplorerTab[] = [
  {
    query: `# A portfolio, put together from trading, exchange and market data.
query Portfolio($accountId: ID!) {
  portfolio(accountId: $accountId) {
    totalMarketValue
    totalUnrealizedPnl
    totalRealizedPnl
    grossExposure
    netExposure
    account { accountId accountType }
    balances { asset { code } available locked }
    positions(first: 10) {
      totalCount
      nodes {
        quantity
        averageEntryPrice
        currentPrice
        unrealizedPnl
        instrument { symbol ticker { lastPrice bid ask } }
      }
    }
  }
}
`,
    variables: JSON.stringify({ accountId: ACCOUNT_ID }, null, 2),
  },
  {
    query: `# A limit order below the market: it rests in the book until you cancel it or somebody meets it.
mutation PlaceAnOrder($input: PlaceExchangeOrderInput!) {
  placeExchangeOrder(input: $input) {
    order { orderId status side quantity price filledQuantity instrument { symbol } }
    errors { __typename code message path }
  }
}
`,
    variables: JSON.stringify(
      {
        input: {
          accountId: ACCOUNT_ID,
          symbol: 'BTC-USD',
          side: 'BUY',
          orderType: 'LIMIT',
          timeInForce: 'GTC',
          quantity: '0.01',
          price: '40000',
        },
      },
      null,
      2,
    ),
  },
  {
    query: `# The last hours of an instrument.
query Candles($symbol: String!) {
  instrument(symbol: $symbol) {
    symbol
    ticker { lastPrice bid ask }
    candles(interval: HOUR_1, first: 12) {
      nodes { openTime open high low close volume }
    }
  }
}
`,
    variables: JSON.stringify({ symbol: 'BTC-USD' }, null, 2),
  },
];
