import type { Transaction } from '../../platform/command.ts';
import type { SubgraphContext } from '../../platform/context.ts';
import type { PrismaClient } from '../../prisma/test-coordination/generated/client.ts';
import type { TestCoordinationService } from './service.ts';

export type Context = SubgraphContext<PrismaClient, TestCoordinationService>;
export type Tx = Transaction<PrismaClient>;
