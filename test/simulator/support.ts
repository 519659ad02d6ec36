/** A simulated market in a test: on the demo, step by step, under a clock of the test's own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { createSimulation } from '../../clients/simulator/simulator.ts';
import type { GraphClient } from '../../platform/graph-client.ts';
import { createLogger, type Logger } from '../../platform/log.ts';
import { loadDemo } from '../../prisma/demo/demo.ts';
import { startGraph, type TestGraph } from '../support/graph.ts';

export const silent = createLogger({ level: 'silent', service: 'test' });

/** A clock that stands still until it is moved. */
export interface Clock {
  nowMs: number;
}

/** A clock ahead of the machine's, so that what the demo stores by that one lies in the past. */
export function clockAhead(): Clock {
  return { nowMs: Date.now() + 60_000 };
}

/** A graph with the demo in it, under the clock; to be closed. */
export async function openDemo(clock: Clock): Promise<TestGraph> {
  const graph = await startGraph({ now: () => new Date(clock.nowMs) });
  await loadDemo(graph.client, silent, [...graph.subgraphs.keys()]);
  return graph;
}

/** A graph with the demo in it, under the clock, that goes away with the test. */
export async function demoGraph(clock: Clock): Promise<TestGraph> {
  const graph = await openDemo(clock);
  onTestFinished(() => graph.close());
  return graph;
}

export interface Steps {
  /** Runs all that is due, one after the other, each second of so many; ends early once `until` holds. */
  run(seconds: number, until?: () => boolean): Promise<void>;
}

/** The simulation, in steps of a second of the clock. */
export function simulate(
  clock: Clock,
  graph: GraphClient,
  { seed = 7, log = silent }: { seed?: number; log?: Logger } = {},
): Steps {
  let hasTraded = false;
  const request: GraphClient['request'] = (document, variables) => {
    if (ORDER_COMMANDS.has(commandOf(document) ?? '')) hasTraded = true;
    return graph.request(document, variables);
  };
  const runners = createSimulation({ graph: { ...graph, request }, log, seed, now: () => clock.nowMs });
  const dueMs = runners.map(() => clock.nowMs);
  return {
    async run(seconds, until = () => false) {
      for (let step = 0; step < seconds && !until(); step++) {
        for (const [index, runner] of runners.entries()) {
          if (clock.nowMs < (dueMs[index] ?? 0)) continue;
          dueMs[index] = clock.nowMs + (await runner.run(clock.nowMs));
          if (hasTraded) await untilCarriedOut(graph);
          hasTraded = false;
        }
        clock.nowMs += 1_000;
      }
    },
  };
}

/** Commands after which the graph may have orders to carry out. */
const ORDER_COMMANDS = new Set(['placeOrder', 'cancelOrder', 'placeExchangeOrder', 'cancelExchangeOrder']);

const ORDERS = `{ activeOrders(first: 100) { nodes { status filledQuantity cancelRequestedAt
  exchangeOrder { status filledQuantity } } } }`;

interface ActiveOrder {
  status: string;
  filledQuantity: string;
  cancelRequestedAt: string | null;
  exchangeOrder: { status: string; filledQuantity: string } | null;
}

/** The graph carries orders out in its own time, not by the test's clock: nothing goes on before it has. */
async function untilCarriedOut({ request }: GraphClient): Promise<void> {
  for (let look = 0; look < 500; look++) {
    const answer = await request<{ activeOrders?: { nodes: ActiveOrder[] } }>(ORDERS).catch(() => null);
    const orders = answer?.activeOrders?.nodes ?? []; // the graph may be away
    if (orders.every(isCarriedOut)) return;
    await sleep(10);
  }
  throw new Error('An order was not carried out');
}

function isCarriedOut({ status, filledQuantity, cancelRequestedAt, exchangeOrder }: ActiveOrder): boolean {
  const isResting = exchangeOrder?.status === 'OPEN' || exchangeOrder?.status === 'PARTIALLY_FILLED';
  return (
    isResting && status !== 'PENDING' && cancelRequestedAt === null && exchangeOrder.filledQuantity === filledQuantity
  );
}

/** A command as it was sent. */
export interface Sent {
  name: string;
  input: Record<string, unknown>;
  errors: { code: string; message: string }[];
}

/** Name of the simulator's command that the document is; undefined when it is a query. */
export function commandOf(document: string): string | undefined {
  return /^mutation Simulate\(.*?\) \{ (\w+)\(/.exec(document)?.[1];
}

/** The client, with every command that goes through it written down, and why it was refused. */
export function recorded(client: GraphClient): { client: GraphClient; sent: Sent[] } {
  const sent: Sent[] = [];
  const request: GraphClient['request'] = async <Data>(document: string, variables: Record<string, unknown> = {}) => {
    const data = await client.request<Data>(document, variables);
    const name = commandOf(document);
    if (name !== undefined) {
      const { errors } = (data as Record<string, Pick<Sent, 'errors'>>)[name] ?? { errors: [] };
      sent.push({ name, input: variables.input as Sent['input'], errors });
    }
    return data;
  };
  return { client: { ...client, request }, sent };
}
