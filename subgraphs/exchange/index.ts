/** The exchange subgraph: accounts and what they hold, orders, the trades that match them, and the ledger. */
import { chaosResolvers } from '../../platform/chaos/resolvers.ts';
import { contractIn } from '../../platform/contract.ts';
import { defineSubgraph } from '../../platform/subgraph.ts';
import { PrismaClient } from '../../prisma/exchange/generated/client.ts';
import type { Resolvers } from './generated/resolvers.ts';
import { Client } from './resolvers/Client.ts';
import { changes } from './resolvers/changes.ts';
import { ExchangeAccount } from './resolvers/ExchangeAccount.ts';
import { ExchangeBalance } from './resolvers/ExchangeBalance.ts';
import { ExchangeOrder } from './resolvers/ExchangeOrder.ts';
import { ExchangeOrderBook } from './resolvers/ExchangeOrderBook.ts';
import { ExchangePrint } from './resolvers/ExchangePrint.ts';
import { ExchangeTrade } from './resolvers/ExchangeTrade.ts';
import { Instrument } from './resolvers/Instrument.ts';
import { LedgerEntry } from './resolvers/LedgerEntry.ts';
import { Mutation } from './resolvers/Mutation.ts';
import { Portfolio } from './resolvers/Portfolio.ts';
import { payloads } from './resolvers/payloads.ts';
import { Query } from './resolvers/Query.ts';
import { Subscription } from './resolvers/Subscription.ts';
import { startExchange } from './service.ts';

const chaos = chaosResolvers('exchange');

const resolvers: Resolvers = {
  Query: { ...Query, ...chaos.Query },
  Mutation: { ...Mutation, ...chaos.Mutation },
  Subscription,
  Client,
  ExchangeAccount,
  ExchangeBalance,
  ExchangeOrder,
  ExchangeTrade,
  ExchangePrint,
  ExchangeOrderBook,
  LedgerEntry,
  Instrument,
  Portfolio,
  ...payloads,
  ...changes,
};

export const exchange = defineSubgraph({
  name: 'exchange',
  typeDefs: contractIn(new URL('./', import.meta.url)),
  resolvers,
  createPrisma: (adapter) => new PrismaClient({ adapter }),
  start: startExchange,
});
