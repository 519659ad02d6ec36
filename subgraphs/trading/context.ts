import type { Transaction } from '../../platform/command.ts';
import type { SubgraphContext } from '../../platform/context.ts';
import type { PrismaClient } from '../../prisma/trading/generated/client.ts';
import type { TradingService } from './service.ts';

export type Context = SubgraphContext<PrismaClient, TradingService>;
export type Tx = Transaction<PrismaClient>;
