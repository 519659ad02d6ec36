/** The simulator as it is started: in the process of the graph, and as a program of its own. */

import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { USAGE } from '../../clients/simulator/arguments.ts';
import { startSimulator } from '../../clients/simulator/simulator.ts';
import { DOMAINS } from '../../platform/domains.ts';
import type { GraphClient } from '../../platform/graph-client.ts';
import { loadDemo } from '../../prisma/demo/demo.ts';
import { startGraph, type TestGraph } from '../support/graph.ts';
import { startProcess } from '../support/processes.ts';
import { silent } from './support.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph({ domains: DOMAINS });
  await loadDemo(graph.client, silent);
});
afterAll(() => graph.close());

/** How many ticks the simulator has stored. */
async function ticks(): Promise<number> {
  const [row] = await graph.sql('market-data', `select count(*)::int as n from price_feeds where source = 'simulator'`);
  return row.n;
}

async function untilTicksExceed(count: number): Promise<void> {
  for (let attempt = 0; attempt < 300 && (await ticks()) <= count; attempt++) await sleep(100);
  expect(await ticks()).toBeGreaterThan(count);
}

describe('in the process of the graph', () => {
  it('ticks at its rate, stops at once and leaves nothing running', async () => {
    let requests = 0;
    const counted: GraphClient = {
      ...graph.client,
      request: (document, variables) => {
        requests++;
        return graph.client.request(document, variables);
      },
    };
    const simulator = startSimulator({ graph: counted, log: silent, rate: 10 });
    await untilTicksExceed(40);
    const began = performance.now();
    await simulator.stop();
    expect(performance.now() - began).toBeLessThan(1_000);
    const made = requests;
    await sleep(1_200);
    expect(requests).toBe(made);
  });
});

describe('as a program', () => {
  const start = (argv: string[], gatewayUrl: string) => {
    const running = startProcess(['clients/simulator/main.ts', ...argv], { GATEWAY_URL: gatewayUrl });
    onTestFinished(() => void running.child.kill('SIGKILL'));
    return running;
  };

  /** The graph over HTTP. */
  const serve = async (): Promise<string> => {
    const server = createServer(graph.gateway.handler).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  };

  it('moves the market of the graph at GATEWAY_URL until it is told to end', async () => {
    const before = await ticks();
    const url = await serve();
    const running = start(['--seed', '3', '--rate', '5'], url);
    await untilTicksExceed(before + 20);
    expect(await running.stop()).toBe(0);
    expect(running.said()).toBe(`Simulating the market of the graph at ${url} (Ctrl-C ends it).\n`);
  });

  it('replays a recording and ends with it, with status 1 when some of it was refused', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'simulator-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, 'trades-kraken-ethusd-2024-08-08.csv');
    const rows = ['2024-08-08T12:00:00Z,1,2600,1,BUY', '2024-08-08T12:00:02Z,2,2601,1,SELL', 'yesterday,3,1,1,SELL'];
    writeFileSync(path, ['time,trade_id,price,quantity,taker_side', ...rows, ''].join('\n'));
    const running = start(['--replay', path, '--speed', '10'], await serve());
    const [code] = await once(running.child, 'exit');
    expect([code, running.said()]).toEqual([
      1,
      expect.stringContaining('2 prices and 0 order books were replayed, 1 refused.\n'),
    ]);
  });

  it('waits for a graph that is not there, says so once, and ends at once', async () => {
    const running = start([], 'http://127.0.0.1:1/graphql');
    while (!running.said().includes('does not answer')) await sleep(50);
    await sleep(2_500);
    const lines = running.said().split('\n');
    expect(lines.filter((line) => line.includes('prices: '))).toHaveLength(1);
    const began = performance.now();
    expect(await running.stop()).toBe(0);
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it('says how it is used', async () => {
    const running = start(['--help'], 'http://127.0.0.1:1/graphql');
    const [code] = await once(running.child, 'exit');
    expect([code, running.said()]).toEqual([0, `${USAGE}\n`]);
  });
});
