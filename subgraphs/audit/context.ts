import type { Transaction } from '../../platform/command.ts';
import type { SubgraphContext } from '../../platform/context.ts';
import type { Statements } from '../../platform/database/transaction.ts';
import type { PrismaClient } from '../../prisma/audit/generated/client.ts';
import type { AuditService } from './service.ts';

export type Context = SubgraphContext<PrismaClient, AuditService>;
export type Tx = Transaction<PrismaClient>;

/** A command's transaction, for what the service does in one of its own as well. Name columns as rows are to have them. */
export function statementsOf(tx: Tx): Statements {
  return { query: <Row>(statement: Parameters<Tx['$queryRaw']>[0]) => tx.$queryRaw<Row[]>(statement as never) };
}
