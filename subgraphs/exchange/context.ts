import type { Transaction } from '../../platform/command.ts';
import type { SubgraphContext } from '../../platform/context.ts';
import type { PrismaClient } from '../../prisma/exchange/generated/client.ts';
import type { ExchangeService } from './service.ts';

export type Context = SubgraphContext<PrismaClient, ExchangeService>;
export type Tx = Transaction<PrismaClient>;
