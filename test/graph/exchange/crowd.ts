/** Many clients at once: each places and cancels orders at random, from a seed, as fast as it is answered. */
import type { TestGraph } from '../../support/graph.ts';
import { done, list, open } from './floor.ts';

/** Markets that share their assets, so that matches in one wait for balances that another moves. */
const MARKETS = [
  { symbol: 'BTC-USD', middle: 100, tick: 2 },
  { symbol: 'ETH-USD', middle: 50, tick: 2 },
  { symbol: 'ETH-BTC', middle: 0.5, tick: 2 },
];

export interface CrowdOptions {
  clients: number;
  seed: number;
  /** Whether a client that has sent so many operations goes on. */
  goesOn: (sent: number) => boolean;
}

/** How often each answer came: a state, a refusal's code, or a fault's message. */
export type Tally = Record<string, number>;

/** A small generator of numbers from 0 to 1 (mulberry32): the same seed, the same numbers. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const PLACE = `mutation Place($input: PlaceExchangeOrderInput!) {
  answer: placeExchangeOrder(input: $input) { order { orderId status } errors { code } } }`;
const CANCEL = `mutation Cancel($input: CancelExchangeOrderInput!) {
  answer: cancelExchangeOrder(input: $input) { order { orderId status } errors { code } } }`;
const DEPOSIT = `mutation Deposit($input: DepositInput!) { answer: deposit(input: $input) { errors { code } } }`;
const WITHDRAW = `mutation Withdraw($input: WithdrawInput!) { answer: withdraw(input: $input) { errors { code } } }`;

/** Opens the markets and the accounts, lets the crowd trade, and tells what it was answered. */
export async function letCrowdTrade(graph: TestGraph, { clients, seed, goesOn }: CrowdOptions): Promise<Tally> {
  for (const { symbol } of MARKETS) await list(graph, symbol, { tickSize: '0.01' });
  const accounts: string[] = [];
  for (let i = 0; i < clients; i++) accounts.push(await open(graph, { USD: '500', BTC: '5', ETH: '10' }));
  const tally: Tally = {};
  const resting: string[] = [];

  async function send(name: string, document: string, input: object): Promise<void> {
    const { data, errors } = await graph.run(document, { input });
    const order = data?.answer?.order;
    if (order && ['OPEN', 'PARTIALLY_FILLED', 'PENDING'].includes(order.status)) resting.push(order.orderId);
    const answer = errors?.[0]?.message ?? data.answer.errors[0]?.code ?? order?.status ?? 'DONE';
    const line = `${name} ${answer}`;
    tally[line] = (tally[line] ?? 0) + 1;
  }

  /** An order that rested a while ago; now and then it stays in the list, so that somebody else wants it too. */
  function someResting(random: () => number): string {
    const place = Math.floor(random() * resting.length);
    return (random() < 0.8 ? resting.splice(place, 1)[0] : resting[place]) as string;
  }

  async function trade(accountId: string, client: number): Promise<void> {
    const random = randomFrom(seed * 1_000 + client);
    const oneOf = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item;
    for (let sent = 0; goesOn(sent); sent++) {
      const dice = random();
      if (dice < 0.2 && resting.length > 0) {
        await send('cancel', CANCEL, { orderId: someResting(random) });
      } else if (dice < 0.23) {
        const [name, document] = oneOf([['deposit', DEPOSIT] as const, ['withdraw', WITHDRAW] as const]);
        await send(name, document, {
          accountId,
          asset: oneOf(['USD', 'BTC', 'ETH']),
          amount: (random() + 0.01).toFixed(8),
        });
      } else {
        await send('place', PLACE, { accountId, ...randomOrder(random, oneOf) });
      }
    }
  }

  await Promise.all(accounts.map(trade));
  for (const accountId of accounts) await done(graph, 'deposit', { accountId, asset: 'USD', amount: '1' });
  return tally;
}

function randomOrder(random: () => number, oneOf: <Item>(items: readonly Item[]) => Item): object {
  const { symbol, middle, tick } = oneOf(MARKETS);
  const side = oneOf(['BUY', 'SELL']);
  const price = (middle * (1 + (random() - 0.5) * 0.06)).toFixed(tick);
  const quantity = (random() * 2 + 0.00000001).toFixed(8);
  const common = { symbol, side, quantity };
  const dice = random();
  if (dice < 0.7) return { ...common, type: 'LIMIT', price, timeInForce: 'GTC' };
  if (dice < 0.8) return { ...common, type: 'LIMIT', price, timeInForce: oneOf(['IOC', 'FOK']) };
  if (dice < 0.92) return { ...common, type: 'MARKET' };
  return { ...common, type: 'STOP', stopPrice: price };
}
