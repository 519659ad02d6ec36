import type { Transaction } from '../../platform/command.ts';
import type { SubgraphContext } from '../../platform/context.ts';
import type { PrismaClient } from '../../prisma/trading/generated/client.ts';
import type { LiveMarks } from './live-marks.ts';

export type Context = SubgraphContext<PrismaClient, LiveMarks>;
export type Tx = Transaction<PrismaClient>;
