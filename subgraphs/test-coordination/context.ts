import type { Transaction } from '../../platform/command.ts';
import type { SubgraphContext } from '../../platform/context.ts';
import type { PrismaClient } from '../../prisma/test-coordination/generated/client.ts';

export type Context = SubgraphContext<PrismaClient, undefined>;
export type Tx = Transaction<PrismaClient>;
