/** A trading engine: it writes by the graph's own commands, each repeated with its key until it is acknowledged. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TopicName, Transaction, Write } from './history.ts';
import type { Random } from './random.ts';
import { type Item, STRATEGY, writeOf } from './tables.ts';

export interface GraphAnswer {
  data?: Record<string, unknown> | null;
  errors?: { message: string; extensions?: Record<string, unknown> }[];
}

export interface GraphWriterOptions {
  name: string;
  /** Sends an operation to the graph; may fail as connections do. */
  run: (query: string, variables: Record<string, unknown>) => Promise<GraphAnswer>;
  random: Random;
  /** Instrument that it alone trades. */
  symbol: string;
  pauseMs: number;
  record: (transaction: Transaction) => void;
  /** Hears of answers that no command should get. */
  complain: (answer: string) => void;
  signal: AbortSignal;
}

interface Payload {
  order: Item;
  trade?: Item;
  position?: Item;
  errors: { code: string; message: string }[];
}

/** States in which a snapshot does not list an order. */
const DONE = new Set(['FILLED', 'CANCELLED']);

const RETRY_MS = 100;

/** Faults are over by the end of the run; a command that is not done this long afterwards never will be. */
const LONGEST_RECOVERY_MS = 30_000; // 30 seconds

let commands = 0;

/** Places orders, and submits, accepts, fills and cancels them, one after another, until the signal. */
export async function runGraphWriter(options: GraphWriterOptions): Promise<void> {
  const { random, signal, name, symbol } = options;
  for (let count = 1; !signal.aborted; count++) {
    const orderId = `${name}-${count}`;
    const quantity = random.between(1, 4);
    await send(options, 'placeOrder', {
      orderId,
      strategyId: STRATEGY,
      symbol,
      side: 'BUY',
      type: 'MARKET',
      quantity: String(quantity),
      execution: 'MANUAL',
    });
    await send(options, 'submitOrder', { orderId, venue: 'venue' });
    await send(options, 'acceptOrder', { orderId });
    const fills = random.below(quantity + 1);
    for (let fill = 1; fill <= fills; fill++) {
      const exchangeTradeId = `${orderId}-${fill}`;
      const executedAt = new Date().toISOString();
      const execution = {
        venue: 'venue',
        exchangeTradeId,
        executedAt,
        price: '100',
        quantity: '1',
        notes: `1:${exchangeTradeId}`,
      };
      await send(options, 'recordFill', { orderId, ...execution });
    }
    if (fills < quantity) await send(options, 'cancelOrder', { orderId });
  }
}

async function send(options: GraphWriterOptions, command: string, input: object): Promise<void> {
  const begunAt = performance.now();
  const payload = await acknowledged(options, command, { ...input, idempotencyKey: `${options.name}/${++commands}` });
  const account = (topic: TopicName, item: Item | undefined) => {
    if (!item) return;
    const write: Write = writeOf('UPSERT', item);
    if (DONE.has(write.value)) write.isUnlisted = true;
    options.record({ topic, begunAt, endedAt: performance.now(), outcome: 'committed', writes: [write] });
  };
  account('orders', payload.order);
  account('trades', payload.trade);
  account('positions', payload.position);
  await sleep(options.random.below(2 * options.pauseMs));
}

async function acknowledged(options: GraphWriterOptions, command: string, input: object): Promise<Payload> {
  const type = `${command[0]?.toUpperCase()}${command.slice(1)}Input`;
  const more = command === 'recordFill' ? 'trade { tradeId notes } position { positionId version quantity }' : '';
  const document = `mutation ($input: ${type}!) {
    ${command}(input: $input) { order { orderId version status } ${more} errors { code message } }
  }`;
  let givenUpAt = Number.POSITIVE_INFINITY;
  for (;;) {
    const answer = await options.run(document, { input }).catch(() => null);
    const payload = answer?.data?.[command] as Payload | null | undefined;
    const codes = [
      ...(answer?.errors ?? []).map(({ extensions }) => extensions?.code),
      ...(payload?.errors ?? []).map(({ code }) => code),
    ];
    if (payload && codes.length === 0) return payload;
    const unexpected = codes.filter((code) => code !== 'DOMAIN_UNAVAILABLE');
    if (unexpected.length > 0) options.complain(`${command}: ${JSON.stringify(answer)}`);
    if (performance.now() > givenUpAt) throw new Error(`${command} got nothing but ${JSON.stringify(answer)}`);
    if (options.signal.aborted) givenUpAt = Math.min(givenUpAt, performance.now() + LONGEST_RECOVERY_MS);
    await sleep(RETRY_MS);
  }
}
