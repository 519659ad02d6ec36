import type { Transaction } from '../../platform/command.ts';
import type { SubgraphContext } from '../../platform/context.ts';
import type { PrismaClient } from '../../prisma/custodian/generated/client.ts';
import type { CustodianService } from './service.ts';

export type Context = SubgraphContext<PrismaClient, CustodianService>;
export type Tx = Transaction<PrismaClient>;
