/** What a newcomer finds in the explorer's tabs: each runs as it is on the demo, and the first is the README's. */

export interface ExplorerTab {
  query: string;
  /** JSON. */
  variables?: string;
}

const ACCOUNT_ID = '00000000-0000-4000-8000-000000000001';

const PORTFOLIO = `# A portfolio, put together from trading, exchange and market data.
query Portfolio {
  portfolio(accountId: "${ACCOUNT_ID}") {
    totalMarketValue
    totalUnrealizedPnl
    totalRealizedPnl
    grossExposure
    netExposure
    account { client { clientId } status }
    balances { asset { code name } available locked }
    positions(sortOrder: ASC) {
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

const LIVE_PORTFOLIO = `# The same, live: valued anew as prices and positions move, at most ten times a second.
subscription LivePortfolio {
  portfolioChanges(accountId: "${ACCOUNT_ID}") {
    kind
    at
    portfolio {
      totalMarketValue
      totalUnrealizedPnl
      totalPnl
      hasStaleMarks
      positions {
        nodes { quantity currentPrice unrealizedPnl instrument { symbol ticker { lastPrice } } }
      }
    }
  }
}
`;

const LIVE_POSITIONS = `# The account's positions: first as they are, then every change as soon as it is committed.
# To come back after an interruption, add after: "…" with the last cursor you have seen.
subscription LivePositions {
  positionChanges(accountId: "${ACCOUNT_ID}") {
    kind
    cursor
    position {
      quantity
      currentPrice
      unrealizedPnl
      isMarkStale
      instrument { symbol ticker { lastPrice bid ask } }
    }
  }
}
`;

const LIVE_BOOK = `# The top of an order book whenever it moves.
subscription LiveBook {
  orderBookChanges(symbol: "BTC-USD", depth: 5) {
    kind
    at
    orderBook {
      bids { price quantity }
      asks { price quantity }
      lastPrice
    }
  }
}
`;

const SETTLEMENT = `# From a strategy's order to how its executions are settled, and who approves what.
query Settlement {
  tradingOrder(id: "demo-order-1") {
    status
    exchangeOrder {
      status
      trades {
        nodes {
          side quantity price fee
          settlement {
            status type rail cycle expectedDate dueAt
            quantity cashAmount source { accountId } destination { accountId }
            transfer { approval { status } }
          }
        }
      }
    }
  }
  approvalRequests(filter: { statuses: [PENDING] }) {
    nodes { subject usdValue required approvedCount expiresAt votes { approverId decision } transfer { status memo } }
  }
}
`;

const TRACE = `# All that an order has led to, in every domain and in its order, as the audit has sealed it.
query Trace {
  tradingOrder(id: "demo-order-1") {
    status
    trace {
      traceId
      events(first: 50) {
        nodes {
          timestamp
          domain
          eventType
          entity {
            __typename
            ... on TradingOrder { filledQuantity }
            ... on ExchangeTrade { tradedQuantity: quantity tradedPrice: price }
            ... on Settlement { expectedDate }
            ... on RiskAlert { severity message }
          }
        }
      }
    }
  }
}
`;

const CLIENT = `# A client with all that it has: at the exchange, in custody, and where the two differ.
query Client {
  client(id: "northwind") {
    accounts { accountId balances { asset { code } available locked } }
    masterBalance { assets { asset { code } total segregated } }
    custodyAccounts {
      accountId
      kind
      positions { asset { code } available locked marketValue }
      balances { asset { code } available locked }
      breaks(filter: { statuses: [OPEN, INVESTIGATING] }) {
        nodes { kind level difference usdDifference asset { code } ageSeconds }
      }
    }
  }
}
`;

const FEEDS = `# For whoever operates the graph: how the change feeds do.
query Feeds {
  tradingFeed { ...Status }
  exchangeFeed { ...Status }
  marketDataFeed { ...Status }
  custodianFeed { ...Status }
  registryFeed { ...Status }
}

fragment Status on FeedStatus {
  lagMs
  lastTickAt
  logBytes
  leader
  subscriberCount
}
`;

const HEALTH = `# What runs where, and whether it is well.
query Health {
  health {
    status
    domains {
      domain
      status
      reasons
      stores { store connected latencyMs version }
    }
    services { name host httpPort version isHealthy lastSeen }
  }
}
`;

const PLACE_AN_ORDER = `# A limit order below the market: it rests in the book until you cancel it or somebody meets it.
# Sent again with the same clientOrderId it gives the order that is there.
mutation PlaceAnOrder($input: PlaceExchangeOrderInput!) {
  placeExchangeOrder(input: $input) {
    order { orderId status side quantity price filledQuantity reservedAmount instrument { symbol } }
    errors {
      code
      message
      path
      ... on InsufficientFunds { asset available required }
    }
  }
}
`;

const CANDLES = `# The last hours of an instrument, rolled up from its one-minute bars.
query Candles($symbol: String!) {
  instrument(symbol: $symbol) {
    displayName
    ticker { lastPrice bid ask volume24h }
    candles(interval: H1, first: 12) {
      nodes { startTime open high low close volume vwap isClosed }
    }
    orderBook(depth: 3) {
      bids { price quantity }
      asks { price quantity }
    }
  }
}
`;

const STRATEGY_RISK = `# A strategy, what it holds, what that is worth, and how far the limits of its account are used.
query StrategyAndRisk {
  strategy(id: "btc-trend") {
    name
    status
    limitUtilisation { utilisation band limit { type threshold } }
  }
  openPositions(strategyId: "btc-trend") {
    nodes {
      quantity
      marketValue
      riskMetric { totalExposure isStale calculatedAt }
      instrument {
        symbol
        ticker { lastPrice bid ask }
        limitUtilisation { utilisation band current threshold account { accountId } limit { type direction } }
      }
    }
  }
}
`;

const INSTRUMENT_RISK = `# An instrument from every side: its book, its bars, who holds it, and what is held where.
query InstrumentAndExposure($symbol: String!) {
  instrument(symbol: $symbol) {
    displayName
    orderBook(depth: 3) {
      bids { price quantity }
      asks { price quantity }
    }
    candles(interval: H1, first: 3) {
      nodes { startTime close volume }
    }
    positions(filter: { isOpen: true }) {
      nodes { quantity marketValue strategy { name } }
    }
    limits { type direction threshold isEnabled }
  }
  exposureByVenue: aggregatedPositions(groupBy: VENUE) { key source marketValue exposure count oldestAt }
}
`;

const PORTFOLIO_RISK = `# What a portfolio may lose, which limits it is near, and what has been said about it.
query PortfolioRisk {
  portfolio(accountId: "00000000-0000-4000-8000-000000000001") {
    risk {
      level
      equity
      grossExposure
      leverage
      drawdown
      dailyPnl
      var95
      var99
      expectedShortfall
      isLowConfidence
      isStale
      asOf
      exposures { instrument { symbol } value concentration }
    }
    limits { utilisation band current threshold instrument { symbol } limit { type direction } }
    openAlerts(first: 10) {
      nodes { severity status message occurrences escalatesAt }
    }
  }
  riskStatus { circuitBreaker { state } breachCount lastCheckMicroseconds }
}
`;

const SCENARIOS = `# What can be tried on the ecosystem, and how it has come out so far. npm run scenario -- market-crash runs one.
query Scenarios {
  scenarios(filter: { statuses: [ACTIVE] }, first: 10) {
    nodes {
      scenarioId
      description
      category
      durationSeconds
      expectedOutcomes
      passRate
      runs(first: 1) {
        nodes {
          runId
          status
          durationMs
          phases { name isSuccessful error }
          resultCounts { status count }
        }
      }
    }
  }
}
`;

const START_SCENARIO = `# Starts a scenario, sixty times as fast as planned. As it stands it goes through the phases and does nothing: say
# dryRun: false to have prices bent and orders placed. Scenarios that inject faults need a graph started with CHAOS=on.
mutation StartScenario($input: StartTestRunInput!) {
  startTestRun(input: $input) {
    run { runId status traceId }
    errors { code message path }
  }
}
`;

const CHAOS_AND_AUDIT = `# What test runs did, line by line, what they have disturbed, and what the audit knows of it. scenarioTimeline tells it live.
query ChaosAndAudit {
  testRuns(first: 3) {
    nodes {
      runId
      status
      logs { nodes { at level message } }
      chaosEvents {
        action
        targetService
        status
        recoveryTimeMs
        service {
          name
          host
          isHealthy
          events(first: 3) {
            nodes {
              eventType
              causalChain(maxDepth: 5) {
                members { depth event { eventType entity { __typename ... on RiskAlert { severity message } } } }
              }
            }
          }
        }
      }
      trace { events(first: 20) { nodes { timestamp domain eventType severity } } }
    }
  }
}
`;

const asText = (variables: object) => JSON.stringify(variables, null, 2);

export const explorerTabs: readonly ExplorerTab[] = [
  { query: PORTFOLIO },
  { query: LIVE_PORTFOLIO },
  { query: LIVE_POSITIONS },
  {
    query: PLACE_AN_ORDER,
    variables: asText({
      input: {
        accountId: ACCOUNT_ID,
        clientOrderId: 'my-first-order',
        symbol: 'BTC-USD',
        side: 'BUY',
        type: 'LIMIT',
        quantity: '0.01',
        price: '40000',
      },
    }),
  },
  { query: CANDLES, variables: asText({ symbol: 'BTC-USD' }) },
  { query: LIVE_BOOK },
  { query: SETTLEMENT },
  { query: CLIENT },
  { query: PORTFOLIO_RISK },
  { query: STRATEGY_RISK },
  { query: INSTRUMENT_RISK, variables: asText({ symbol: 'BTC-USD' }) },
  { query: SCENARIOS },
  {
    query: START_SCENARIO,
    variables: asText({ input: { scenarioId: 'market-crash', timeScale: '60', dryRun: true } }),
  },
  { query: TRACE },
  { query: CHAOS_AND_AUDIT },
  { query: FEEDS },
  { query: HEALTH },
];
