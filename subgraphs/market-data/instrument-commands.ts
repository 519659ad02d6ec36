/** Creating and changing instruments. */
import { beforehand, type CommandPayload, command } from '../../platform/command.ts';
import { sql } from '../../platform/database/sql.ts';
import { refuse } from '../../platform/errors.ts';
import { normaliseSymbol } from '../../platform/symbols.ts';
import type { Prisma } from '../../prisma/market-data/generated/client.ts';
import { createAssets } from './asset-commands.ts';
import type { Context, Tx } from './context.ts';
import type {
  CreateInstrumentInput,
  DeleteInstrumentInput,
  InstrumentVenueInput,
  SetInstrumentActiveInput,
  SetInstrumentVenueInput,
  UpdateInstrumentInput,
} from './generated/resolvers.ts';
import { MAX_VENUES, termsFault, venuesFault, venueTermsFault } from './rules/instrument-terms.ts';
import type { Fault } from './rules/limits.ts';

export type InstrumentPayload = CommandPayload<{ symbol: string }>;

/** Inserts an instrument with its venues, and its assets where they are new. */
export function createInstrument(context: Context, input: CreateInstrumentInput): Promise<InstrumentPayload> {
  return command(context, 'createInstrument', input, async (tx) => {
    const symbol = normaliseSymbol(input.symbol);
    const venues = input.venues ?? [];
    refuseFault(termsFault(input) ?? venuesFault(venues));
    const [baseCurrency = '', quoteCurrency = ''] = symbol.split('-');
    const { traceId } = context;
    await createAssets(tx, [baseCurrency, quoteCurrency], traceId);
    const isActive = input.isActive ?? true;
    const created = await tx.instrument.createMany({
      data: [{ symbol, baseCurrency, quoteCurrency, isActive, ...termsOf(input), traceId }],
      skipDuplicates: true,
    });
    if (created.count === 0) {
      const { version } = await tx.instrument.findUniqueOrThrow({ where: { symbol } });
      throw refuse.conflict(version, `${symbol} exists already.`, ['input', 'symbol']);
    }
    if (venues.length > 0) {
      await tx.instrumentVenue.createMany({
        data: venues.map((venue) => ({ symbol, ...venueTermsOf(venue), traceId })),
      });
    }
    return { symbol };
  });
}

/** Sets the terms that the input names. */
export function updateInstrument(context: Context, input: UpdateInstrumentInput): Promise<InstrumentPayload> {
  return command(context, 'updateInstrument', input, async (tx) => {
    const stored = await lockInstrument(tx, input);
    const minOrderSize = input.minOrderSize === undefined ? stored.minOrderSize : input.minOrderSize;
    const maxOrderSize = input.maxOrderSize === undefined ? stored.maxOrderSize : input.maxOrderSize;
    refuseFault(termsFault({ ...input, minOrderSize, maxOrderSize }));
    if (input.circuitBreakerThreshold === null) {
      refuseFault({ field: 'circuitBreakerThreshold', message: 'circuitBreakerThreshold cannot be cleared.' });
    }
    const terms = termsOf(input);
    if (Object.keys(terms).length > 0) {
      const { symbol } = stored;
      await tx.instrument.update({ where: { symbol }, data: { ...terms, traceId: context.traceId } });
    }
    return { symbol: stored.symbol };
  });
}

/** Opens or closes an instrument; nothing changes where it is so already. */
export function setInstrumentActive(context: Context, input: SetInstrumentActiveInput): Promise<InstrumentPayload> {
  return command(context, 'setInstrumentActive', input, async (tx) => {
    const { symbol, isActive } = await lockInstrument(tx, input);
    if (isActive !== input.isActive) {
      await tx.instrument.update({ where: { symbol }, data: { isActive: input.isActive, traceId: context.traceId } });
    }
    return { symbol };
  });
}

const ORDERS = /* GraphQL */ `
  query OrdersOfInstrument($symbol: String!) {
    exchangeOrders(filter: { symbol: $symbol }, first: 1) { nodes { orderId } }
    tradingOrders(filter: { symbol: $symbol }, first: 1) { nodes { orderId } }
  }
`;

interface OrdersData {
  exchangeOrders: { nodes: { orderId: string }[] };
  tradingOrders: { nodes: { orderId: string }[] };
}

/** Deactivates an instrument that no price, bar or order speaks of. */
export async function deleteInstrument(context: Context, input: DeleteInstrumentInput): Promise<InstrumentPayload> {
  const isOrdered = await beforehand('exchange', async () => {
    const orders = await context.graph.request<OrdersData>(ORDERS, { symbol: normaliseSymbol(input.symbol) });
    return orders.exchangeOrders.nodes.length + orders.tradingOrders.nodes.length > 0;
  });
  return command(context, 'deleteInstrument', input, async (tx) => {
    const { symbol } = await lockInstrument(tx, input);
    const [found] = await tx.$queryRaw<{ isPriced: boolean }[]>(sql`
      select exists (select from candles where symbol = ${symbol})
          or exists (select from price_feeds where symbol = ${symbol})
          or exists (select from market_snapshots where symbol = ${symbol}) as "isPriced"`);
    if (found?.isPriced || isOrdered()) {
      const speaks = found?.isPriced ? 'Prices or bars' : 'Orders';
      throw refuse.validation(`${speaks} of ${symbol} are stored; deactivate it instead.`, ['input', 'symbol']);
    }
    await tx.instrument.update({ where: { symbol }, data: { isActive: false, traceId: context.traceId } });
    return { symbol };
  });
}

/** Lists an instrument on a venue, or replaces its terms there. */
export function setInstrumentVenue(context: Context, input: SetInstrumentVenueInput): Promise<InstrumentPayload> {
  return command(context, 'setInstrumentVenue', input, async (tx) => {
    const fault = venueTermsFault(input.venue);
    refuseFault(fault && { ...fault, field: `venue.${fault.field}` });
    const { symbol } = await lockInstrument(tx, input);
    const terms = { ...venueTermsOf(input.venue), traceId: context.traceId };
    const updated = await tx.instrumentVenue.updateMany({ where: { symbol, venueId: terms.venueId }, data: terms });
    if (updated.count === 0) {
      if ((await tx.instrumentVenue.count({ where: { symbol } })) >= MAX_VENUES) {
        const message = `An instrument is listed on at most ${MAX_VENUES} venues.`;
        refuseFault({ field: 'venue.venueId', message });
      }
      await tx.instrumentVenue.create({ data: { symbol, ...terms } });
    }
    return { symbol };
  });
}

interface LockedInstrument {
  symbol: string;
  isActive: boolean;
  minOrderSize: string | null;
  maxOrderSize: string | null;
}

/**
 * The instrument, locked against other changes.
 * @throws Refusal (not found) when there is none; (conflict) when its version is not the one expected
 */
async function lockInstrument(
  tx: Tx,
  input: { symbol: string; expectedVersion?: number | null | undefined },
): Promise<LockedInstrument> {
  const symbol = normaliseSymbol(input.symbol);
  const [stored] = await tx.$queryRaw<(LockedInstrument & { version: number })[]>(sql`
    select symbol, is_active as "isActive", version,
           trim_scale(min_order_size)::text as "minOrderSize", trim_scale(max_order_size)::text as "maxOrderSize"
      from symbols where symbol = ${symbol} for no key update`);
  if (!stored) throw refuse.notFound('Instrument', symbol, ['input', 'symbol']);
  const { expectedVersion = null } = input;
  if (expectedVersion !== null && expectedVersion !== stored.version) {
    throw refuse.conflict(stored.version, undefined, ['input', 'expectedVersion']);
  }
  return stored;
}

type TermsInput = Omit<UpdateInstrumentInput, 'symbol' | 'expectedVersion' | 'idempotencyKey'>;

/** The columns that the input names. */
function termsOf(input: TermsInput) {
  const { circuitBreakerThreshold, metadata } = input;
  return {
    ...(input.displayName !== undefined && { displayName: input.displayName }),
    ...(input.tickSize !== undefined && { minPriceMovement: input.tickSize }),
    ...(input.minOrderSize !== undefined && { minOrderSize: input.minOrderSize }),
    ...(input.maxOrderSize !== undefined && { maxOrderSize: input.maxOrderSize }),
    ...(input.priceDecimals !== undefined && { priceDecimals: input.priceDecimals }),
    ...(circuitBreakerThreshold != null && { circuitBreakerThreshold }),
    ...(input.depegAlertThreshold !== undefined && { depegAlertThreshold: input.depegAlertThreshold }),
    ...(metadata !== undefined && { metadata: (metadata ?? {}) as Prisma.InputJsonObject }),
  };
}

function venueTermsOf({ venueId, venueSymbol, tickSize, lotSize, minOrderSize }: InstrumentVenueInput) {
  return {
    venueId,
    venueSymbol,
    tickSize: tickSize ?? null,
    lotSize: lotSize ?? null,
    minOrderSize: minOrderSize ?? null,
  };
}

function refuseFault(fault: Fault | null): void {
  if (fault) throw refuse.validation(fault.message, ['input', ...fault.field.split('.')]);
}
