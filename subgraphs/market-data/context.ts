import type { Transaction } from '../../platform/command.ts';
import type { SubgraphContext } from '../../platform/context.ts';
import type { PrismaClient } from '../../prisma/market-data/generated/client.ts';
import type { MarketDataService } from './service.ts';

export type Context = SubgraphContext<PrismaClient, MarketDataService>;
export type Tx = Transaction<PrismaClient>;
