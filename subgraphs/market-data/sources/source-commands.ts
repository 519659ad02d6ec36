/** Registering sources, and what operators say of them. */
import { type CommandPayload, command } from '../../../platform/command.ts';
import { sql } from '../../../platform/database/sql.ts';
import { refuse } from '../../../platform/errors.ts';
import { normaliseSymbol } from '../../../platform/symbols.ts';
import { boundedText } from '../../../platform/texts.ts';
import type { Context } from '../context.ts';
import type {
  RegisterDataSourceInput,
  ReportSourceErrorInput,
  ResetPriceBreakerInput,
} from '../generated/resolvers.ts';
import { hearSources } from './source-health.ts';

export type SourcePayload = CommandPayload<{ name: string }>;
export type BreakerPayload = CommandPayload<{ symbol: string }>;

const NAME_LENGTH = 100;
const ERROR_LENGTH = 500;
const LOWEST_PRIORITY = 100;

/** Inserts the source, or replaces what is registered of it; how it does stays. */
export function registerDataSource(context: Context, input: RegisterDataSourceInput): Promise<SourcePayload> {
  return command(context, 'registerDataSource', input, async (tx) => {
    const name = boundedText(input.name, NAME_LENGTH, ['input', 'name']);
    const { kind, rateLimitPerSecond = null } = input;
    const priority = input.priority ?? LOWEST_PRIORITY;
    if (priority < 1 || priority > LOWEST_PRIORITY) {
      throw refuse.validation(`priority must be 1 to ${LOWEST_PRIORITY}, but got ${priority}.`, ['input', 'priority']);
    }
    if (rateLimitPerSecond !== null && rateLimitPerSecond < 1) {
      const path = ['input', 'rateLimitPerSecond'];
      throw refuse.validation(`rateLimitPerSecond must be 1 or more, but got ${rateLimitPerSecond}.`, path);
    }
    const terms = { kind, priority, rateLimitPerSecond, isEnabled: input.isEnabled ?? true, traceId: context.traceId };
    await tx.dataSource.upsert({ where: { name }, create: { name, ...terms }, update: terms });
    return { name };
  });
}

/** Counts an error that a source's reader met outside the graph. */
export function reportSourceError(context: Context, input: ReportSourceErrorInput): Promise<SourcePayload> {
  return command(context, 'reportSourceError', input, async (tx) => {
    const error = boundedText(input.message, ERROR_LENGTH, ['input', 'message']);
    const name = boundedText(input.name, NAME_LENGTH, ['input', 'name']);
    const known = await tx.dataSource.count({ where: { name } });
    if (known === 0) throw refuse.notFound('DataSource', name, ['input', 'name']);
    await hearSources(tx, new Map([[name, [{ error }]]]), context.now().getTime(), context.traceId);
    return { name };
  });
}

/** Closes the breaker of a price: the next consensus is taken wherever it lies. */
export function resetPriceBreaker(context: Context, input: ResetPriceBreakerInput): Promise<BreakerPayload> {
  return command(context, 'resetPriceBreaker', input, async (tx) => {
    const symbol = normaliseSymbol(input.symbol);
    const [stored] = await tx.$queryRaw<{ breaker: string }[]>(
      sql`select breaker from consensus_prices where symbol = ${symbol} for no key update`,
    );
    if (!stored) throw refuse.notFound('ConsensusPrice', symbol, ['input', 'symbol']);
    if (stored.breaker === 'CLOSED')
      throw refuse.invalidTransition('CLOSED', 'CLOSED', ['TRIPPED'], ['input', 'symbol']);
    await tx.$executeRaw(sql`
      update consensus_prices set breaker = 'CLOSED', recent = '[]', tripped_at = null, tripped_price = null,
             reference_price = null, in_band_since = null, trace_id = ${context.traceId}
       where symbol = ${symbol}`);
    return { symbol };
  });
}
