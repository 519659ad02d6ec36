/** Everything that risk asks of other domains. None of it is what scenarios know (domain.md §5.2: the read boundary). */

export const POSITIONS = /* GraphQL */ `
  subscription RiskPositions {
    positionChanges {
      kind
      position {
        positionId
        isOpen
        quantity
        averageEntryPrice
        currentPrice
        markedAt
        realizedPnl
        traceId
        strategy { strategyId }
        account { accountId }
        instrument { symbol }
      }
    }
  }
`;

export const STRATEGIES = /* GraphQL */ `
  subscription RiskStrategies {
    strategyChanges { kind strategy { strategyId realizedPnl dailyPnl traceId account { accountId } } }
  }
`;

export const ORDERS = /* GraphQL */ `
  subscription RiskOrders {
    orderChanges {
      kind
      order { orderId status side remainingQuantity strategy { strategyId } account { accountId } instrument { symbol } }
    }
  }
`;

export const PRICES = /* GraphQL */ `
  subscription RiskPrices($symbols: [String!]!) {
    priceChanges(symbols: $symbols, minIntervalMs: 20) {
      kind
      ticker { lastPrice timestamp traceId instrument { symbol } }
    }
  }
`;

export const INSTRUMENTS = /* GraphQL */ `
  query RiskInstruments($after: String) {
    instruments(first: 500, after: $after) {
      nodes { symbol }
      pageInfo { hasNextPage endCursor }
    }
  }
`;

export const CUSTODY = /* GraphQL */ `
  query RiskCustody($after: String) {
    custodyPositions(first: 500, after: $after) {
      nodes { quantity account { accountId } asset { code } }
      pageInfo { hasNextPage endCursor }
    }
  }
`;

export const LATE_SETTLEMENTS = /* GraphQL */ `
  query RiskLateSettlements($before: DateTime!, $after: String) {
    settlements(
      filter: { statuses: [PENDING, IN_PROGRESS, PARTIALLY_SETTLED], deadlineBefore: $before }
      sortBy: EXPECTED_DATE
      sortOrder: ASC
      first: 500
      after: $after
    ) {
      nodes { usdValue deadlineAt waitReason traceId account { accountId } }
      pageInfo { hasNextPage endCursor }
    }
  }
`;

/** Daily bars of several instruments, a field each. */
export function barsDocument(count: number): string {
  const fields = Array.from(
    { length: count },
    (_, i) =>
      `b${i}: candles(filter: { symbol: $s${i}, interval: D1, isClosed: true }, first: $first) { nodes { startTime close } }`,
  );
  const variables = Array.from({ length: count }, (_, i) => `$s${i}: String!`).join(', ');
  return `query RiskBars($first: Int!, ${variables}) { ${fields.join(' ')} }`;
}

/** What several exchange accounts hold, a field each. */
export function balancesDocument(count: number): string {
  const fields = Array.from(
    { length: count },
    (_, i) => `a${i}: exchangeBalances(filter: { accountId: $a${i} }, first: 500) { nodes { asset { code } total } }`,
  );
  const variables = Array.from({ length: count }, (_, i) => `$a${i}: ID!`).join(', ');
  return `query RiskBalances(${variables}) { ${fields.join(' ')} }`;
}
