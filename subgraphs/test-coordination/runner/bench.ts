/**
 * What a run has of its own in the graph: an account that trades by a strategy, another that trades with it, limits, and
 * custody accounts where its trades are settled. All ids follow from the run's, so that any process can clear it up.
 */
import { createHash } from 'node:crypto';
import { dec } from '../../../platform/decimal.ts';
import type { Bench } from '../rules/definition.ts';
import { type Desk, persist, Refused } from './desk.ts';

export const SOURCE = 'test-coordination';
export const BY = 'test-coordination';
export const SECOND_PERSON = 'test-coordination-approver';

/** What the other side of every trade has, in units of the base assets and of USD. */
const DEPTH = '1000000';

/** An order is filled, and known as such, within this. */
const SETTLES_WITHIN_MS = 20_000; // 20 seconds

/** A price of the bench's own is told anew after this. */
const PRICE_EVERY_MS = 4_000; // 4 seconds

export interface BenchIds {
  strategyId: string;
  /** Account that trades. */
  accountId: string;
  clientId: string;
  /** Account that quotes. */
  makerId: string;
  makerClientId: string;
}

export function benchIds(runId: string): BenchIds {
  return {
    strategyId: `test-${runId}`,
    accountId: uuidOf(`${runId}:trader`),
    clientId: `test-${runId}`,
    makerId: uuidOf(`${runId}:maker`),
    makerClientId: `test-maker-${runId}`,
  };
}

/** The same UUID for the same text. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

export const partsOfSymbol = (symbol: string) => symbol.split('-') as [base: string, quote: string];

export interface OwnPrices {
  /** Tells the prices that nobody else tells, when they are due. */
  tell(): Promise<void>;
}

/** Sets the bench up. */
export async function openBench(desk: Desk, bench: Bench, runId: string): Promise<OwnPrices> {
  const ids = benchIds(runId);
  const prices = new Map<string, string>();
  for (const instrument of bench.instruments) prices.set(instrument.symbol, await listInstrument(desk, instrument));
  await openAccounts(desk, bench, ids);
  if (bench.hasCustody) await openCustody(desk, bench, ids);
  await desk.send('createStrategy', {
    strategyId: ids.strategyId,
    name: `Test run ${runId}`.slice(0, 255),
    type: 'CUSTOM',
    accountId: ids.accountId,
    symbols: bench.instruments.map(({ symbol }) => symbol),
    capital: bench.cash,
  });
  await desk.send('startStrategy', { strategyId: ids.strategyId });
  for (const [symbol, price] of prices) await quote(desk, ids, symbol, price);
  if (bench.position) {
    await trade(desk, ids, { ...bench.position, side: 'BUY' });
  }
  await watched(desk, bench, ids);
  return ownPrices(desk, bench);
}

interface Instrument {
  symbol: string;
  price: string;
  isStablecoin: boolean;
}

/** Makes the instrument where there is none, and prices it where nobody does. Gives its price. */
async function listInstrument(desk: Desk, { symbol, price, isStablecoin }: Instrument): Promise<string> {
  const [base, quoted] = partsOfSymbol(symbol);
  for (const [code, kind] of [
    [base, isStablecoin ? 'STABLECOIN' : 'CRYPTO'],
    [quoted, 'FIAT'],
  ]) {
    const { asset } = await desk.ask('query ($code: String!) { asset(code: $code) { code } }', { code });
    if (!asset) await unlessThere(desk.send('defineAsset', { code, kind, name: `Test asset ${code}` }));
  }
  const { instrument } = await desk.ask('query ($symbol: String!) { instrument(symbol: $symbol) { isActive } }', {
    symbol,
  });
  if (!instrument)
    await unlessThere(desk.send('createInstrument', { symbol, displayName: `Test instrument ${symbol}` }));
  else if (!instrument.isActive) await desk.send('setInstrumentActive', { symbol, isActive: true });
  const { ticker } = await desk.ask('query ($symbol: String!) { ticker(symbol: $symbol) { lastPrice source } }', {
    symbol,
  });
  if (ticker && ticker.source !== SOURCE) return ticker.lastPrice;
  await tellPrice(desk, symbol, price);
  return price;
}

/** Another run may have been quicker. */
async function unlessThere(sent: Promise<unknown>): Promise<void> {
  await sent.catch((error: unknown) => {
    if (!(error instanceof Refused && error.code === 'CONFLICT')) throw error;
  });
}

async function tellPrice(desk: Desk, symbol: string, price: string): Promise<void> {
  await desk.send('ingestPrice', { price: { symbol, price, source: SOURCE, timestamp: new Date().toISOString() } });
}

function ownPrices(desk: Desk, bench: Bench): OwnPrices {
  let toldAt = Date.now();
  return {
    async tell() {
      if (Date.now() - toldAt < PRICE_EVERY_MS) return;
      toldAt = Date.now();
      for (const { symbol, price } of bench.instruments) {
        const { ticker } = await desk.ask('query ($symbol: String!) { ticker(symbol: $symbol) { source } }', {
          symbol,
        });
        if (ticker?.source === SOURCE) await tellPrice(desk, symbol, price);
      }
    },
  };
}

async function openAccounts(desk: Desk, bench: Bench, ids: BenchIds): Promise<void> {
  const bases = bench.instruments.map(({ symbol }) => partsOfSymbol(symbol)[0]);
  await desk.send('createExchangeAccount', { accountId: ids.accountId, clientId: ids.clientId });
  await desk.send('createExchangeAccount', { accountId: ids.makerId, clientId: ids.makerClientId });
  await desk.send('deposit', { accountId: ids.accountId, asset: 'USD', amount: bench.cash });
  await desk.send('deposit', { accountId: ids.makerId, asset: 'USD', amount: DEPTH });
  for (const asset of new Set(bases)) await desk.send('deposit', { accountId: ids.makerId, asset, amount: DEPTH });
}

async function openCustody(desk: Desk, bench: Bench, ids: BenchIds): Promise<void> {
  const assets = ['USD', ...bench.instruments.map(({ symbol }) => partsOfSymbol(symbol)[0])];
  for (const [clientId, venueAccountId] of [
    [ids.clientId, ids.accountId],
    [ids.makerClientId, ids.makerId],
  ]) {
    await desk.send('openCustodyAccount', { accountId: clientId, clientId, kind: 'MASTER' });
    for (const asset of new Set(assets)) {
      await desk.send('depositCustodyAsset', { accountId: clientId, asset, amount: DEPTH });
    }
    await desk.send('linkVenueAccount', { accountId: clientId, venueAccountId });
  }
}

/** An order each side, so that whoever trades finds somebody. */
async function quote(desk: Desk, ids: BenchIds, symbol: string, price: string): Promise<void> {
  const mid = dec(price);
  const bidValue = dec(DEPTH).times('0.4').div(mid).toDecimalPlaces(4, 1);
  const order = { accountId: ids.makerId, symbol, type: 'LIMIT' };
  await desk.send('placeExchangeOrder', { ...order, side: 'SELL', price: mid.toFixed(), quantity: '100000' });
  const bid = mid.times('0.9995').toDecimalPlaces(8, 1);
  await desk.send('placeExchangeOrder', { ...order, side: 'BUY', price: bid.toFixed(), quantity: bidValue.toFixed() });
}

/** A market order of the strategy, done. Gives its id. */
export async function trade(
  desk: Desk,
  { strategyId }: BenchIds,
  order: { symbol: string; side: 'BUY' | 'SELL'; quantity: string },
): Promise<string> {
  const { order: placed } = await desk.send(
    'placeOrder',
    { strategyId, type: 'MARKET', timeInForce: 'IOC', ...order },
    'order { orderId }',
  );
  return placed.orderId;
}

const ORDER = 'query ($id: ID!) { tradingOrder(id: $id) { status errorMessage } }';
const ENDED = ['FILLED', 'CANCELLED', 'REJECTED', 'EXPIRED'];

/** Waits until the order has ended, and gives how. */
export async function ended(desk: Desk, orderId: string): Promise<{ status: string; errorMessage: string | null }> {
  return persist(
    async () => {
      const { tradingOrder } = await desk.ask(ORDER, { id: orderId });
      return ENDED.includes(tradingOrder?.status) ? tradingOrder : null;
    },
    { withinMs: SETTLES_WITHIN_MS },
  );
}

/** Sets the limits, once risk knows the account with what it holds: its worth now counts from now on. */
async function watched(desk: Desk, bench: Bench, { accountId, strategyId }: BenchIds): Promise<void> {
  if (bench.limits.length === 0) return;
  if (bench.position) {
    await persist(
      async () => {
        const { portfolioRisk } = await desk.ask(
          'query ($id: ID!) { portfolioRisk(accountId: $id) { grossExposure } }',
          { id: accountId },
        );
        return portfolioRisk && dec(portfolioRisk.grossExposure).gt(0) ? true : null;
      },
      { withinMs: SETTLES_WITHIN_MS },
    );
  }
  await desk.send('calculateRisk', { accountId });
  for (const { type, threshold } of bench.limits) {
    await desk.send('setRiskLimit', {
      type,
      threshold,
      scope: { accountId },
      description: `Of the test's strategy ${strategyId}.`.slice(0, 2_000),
      by: BY,
    });
  }
}
