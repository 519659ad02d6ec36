/** Clients that place and cancel orders at random, among others who trade at the exchange, while trading is killed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { list, open } from '../../graph/exchange/floor.ts';
import { type Desk, openDesk } from '../../graph/trading/routing/desk.ts';
import type { Random } from '../history/random.ts';
import type { Stage } from './stage.ts';

export interface CrowdOptions {
  clients: number;
  /** Whether it goes on after trading has been killed so many times. */
  goesOn: (deaths: number) => boolean;
  random: Random;
  /** How long trading's processes live between two deaths, in milliseconds. */
  livesMs: readonly [least: number, most: number];
}

/** What happened, for whoever reads the report. */
export type Tally = Record<string, number>;

const DESKS = 5;
const STRANGERS = 4;
/** The market of the crowd, which no other test trades in. */
const SYMBOL = 'SOL-USD';

/** In whose name the crowd trades, and with whom. */
export interface Floor {
  desks: Desk[];
  strangers: string[];
}

/** Opens the market and the accounts. */
export async function openFloor(stage: Stage): Promise<Floor> {
  await list(stage.graph, SYMBOL);
  const desks: Desk[] = [];
  const money = { USD: '100000', SOL: '1000' };
  for (let desk = 0; desk < DESKS; desk++) desks.push(await openDesk(stage.graph, { symbols: [SYMBOL] }, money));
  const strangers: string[] = [];
  for (let one = 0; one < STRANGERS; one++) strangers.push(await open(stage.graph, { USD: '1000000', SOL: '10000' }));
  return { desks, strangers };
}

/** Lets them trade. Everything that was asked for has been answered when it resolves. */
export async function letCrowdTrade(
  stage: Stage,
  floor: Floor,
  { clients, goesOn, random, livesMs }: CrowdOptions,
): Promise<Tally> {
  const tally: Tally = {};
  const note = (what: string) => {
    tally[what] = (tally[what] ?? 0) + 1;
  };
  const isOver = () => !goesOn(tally.killed ?? 0);
  const trade = async (client: number) => {
    const choices = random.fork(`client ${client}`);
    const placed: string[] = [];
    while (!isOver()) {
      await act({ stage, random: choices, ...floor, placed, note, name: `crowd ${client}` });
      await sleep(choices.below(60));
    }
  };
  const die = async () => {
    const choices = random.fork('deaths');
    while (!isOver()) {
      await sleep(choices.between(...livesMs));
      const part = choices.pick(stage.replicas);
      await part.end('SIGKILL');
      note('killed');
      await part.start();
    }
  };
  await Promise.all([die(), ...Array.from({ length: clients }, (_, client) => trade(client))]);
  return tally;
}

interface Act extends Floor {
  stage: Stage;
  random: Random;
  /** Orders of this client. */
  placed: string[];
  name: string;
  note(what: string): void;
}

async function act({ stage, random, desks, strangers, placed, name, note }: Act): Promise<void> {
  const side = random.pick(['BUY', 'SELL']);
  const terms = { symbol: SYMBOL, side, quantity: String(random.between(1, 30) / 10) };
  const price = String(random.between(95, 105));
  const what = random.weighted({ place: 5, cancel: 3, stranger: 4 });
  if (what === 'place') {
    const orderId = `${name} order ${placed.length + 1}`;
    const kind = random.pick([
      { type: 'LIMIT', price },
      { type: 'LIMIT', price },
      { type: 'LIMIT', price, timeInForce: 'IOC' },
      { type: 'MARKET' },
      { type: 'STOP', stopPrice: price },
    ]);
    const { errors } = await stage.command('placeOrder', {
      orderId,
      strategyId: random.pick(desks).strategyId,
      ...terms,
      ...kind,
    });
    note(`placeOrder ${errors[0]?.code ?? 'done'}`);
    placed.push(orderId);
  } else if (what === 'cancel' && placed.length > 0) {
    const { errors } = await stage.command('cancelOrder', { orderId: random.pick(placed) });
    note(`cancelOrder ${errors[0]?.code ?? 'done'}`);
  } else {
    const accountId = random.pick(strangers);
    const { errors } = await stage.command('placeExchangeOrder', { accountId, ...terms, type: 'LIMIT', price });
    note(`placeExchangeOrder ${errors[0]?.code ?? 'done'}`);
  }
}
