import type { Transaction } from '../../platform/command.ts';
import type { SubgraphContext } from '../../platform/context.ts';
import type { PrismaClient } from '../../prisma/registry/generated/client.ts';
import type { RegistryService } from './service.ts';

export type Context = SubgraphContext<PrismaClient, RegistryService>;
export type Tx = Transaction<PrismaClient>;
