/** What a newcomer does in the first five minutes, on the demo. */

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { explorerTabs } from '../../gateway/explorer-tabs.ts';
import { DOMAINS } from '../../platform/domains.ts';
import type { GraphClient } from '../../platform/graph-client.ts';
import { createLogger } from '../../platform/log.ts';
import { loadDemo } from '../../prisma/demo/demo.ts';
import { type Answer, startGraph, type TestGraph } from '../support/graph.ts';
import { startProcess } from '../support/processes.ts';
import { watch } from '../support/watch.ts';

const documents = ['README.md', 'docs/operating.md'].map((path) => readFileSync(path, 'utf8')).join('\n');
const log = createLogger({ level: 'silent', service: 'test' });
let graph: TestGraph;
let portfolio: Answer;

beforeAll(async () => {
  graph = await startGraph({ domains: DOMAINS });
  await loadDemo(graph.client, log);
  portfolio = await graph.run(firstQuery());
});

afterAll(() => graph.close());

/** The text of the first block of that kind after the heading. */
function blockAfter(heading: string, kind: string): string {
  const section = documents.slice(documents.indexOf(heading));
  const block = new RegExp(`\`\`\`${kind}\n([\\s\\S]*?)\`\`\``).exec(section)?.[1];
  if (block === undefined) throw new Error(`There is no ${kind} block after "${heading}"`);
  return block;
}

function firstQuery(): string {
  return blockAfter('## The first query', 'graphql');
}

describe('the README', () => {
  it('shows the first query as the explorer has it', () => {
    const { query } = explorerTabs[0] ?? { query: '' };
    expect(firstQuery()).toBe(query);
  });

  it('shows the true answer', () => {
    expect(JSON.parse(blockAfter('## The first query', 'json'))).toEqual({ data: portfolio.data });
  });
});

describe('the health of the graph', () => {
  it('is asked for in the documents as the explorer has it', () => {
    const document = blockAfter('## What runs where, and is it well', 'graphql');
    expect(explorerTabs.map(({ query }) => query)).toContain(document);
  });
});

describe('the first subscription', () => {
  const document = () => blockAfter('## The first subscription', 'graphql');

  it('is shown as the explorer has it', () => {
    expect(explorerTabs.map(({ query }) => query)).toContain(document());
  });

  it('tells what the README shows', async () => {
    const shown = blockAfter('## The first subscription', 'json')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).data.positionChanges);
    const watcher = watch(graph.client, 'positionChanges', document());
    await watcher.begun();
    await graph.sql(
      'trading',
      `update positions set current_price = 51020, marked_at = now() where instrument_id = 'BTC-USD'`,
    );
    await watcher.until(({ kind }) => kind === 'UPSERT');
    await watcher.leave();
    const told = watcher.all.map(({ cursor: _, ...rest }) => rest);
    const bySymbol = (event: (typeof shown)[number]) => `${event.kind} ${event.position?.instrument.symbol ?? ''}`;
    const ordered = (events: typeof shown) => events.toSorted((a, b) => (bySymbol(a) < bySymbol(b) ? -1 : 1));
    expect(ordered(told)).toEqual(ordered(shown.map(({ cursor: _, ...rest }) => rest)));
    for (const { cursor } of shown) expect(cursor).toMatch(/^[0-9a-f]{12}\.(snapshot|\d+(\.\d+)?)$/);
  });
});

describe('a program that follows, as the README has it', () => {
  it('goes on after its cursor when its way is cut, with exactly what it has missed', async () => {
    const server = createServer(graph.gateway.handler);
    graph.gateway.attachWebSocket(server);
    const sockets = new Set<Socket>();
    server.on('connection', (socket) => sockets.add(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const program = blockAfter('## The first subscription', 'js').replace('localhost:4000', `127.0.0.1:${port}`);
    const follower = startProcess(['--input-type=module', '--eval', program], {});
    const lines = (kind: string) =>
      follower
        .said()
        .split('\n')
        .filter((line) => line.startsWith(kind));
    const heard = (kind: string, count: number) =>
      vi.waitFor(() => expect(lines(kind)).toHaveLength(count), { timeout: 30_000 });
    const change = (): Promise<{ orderId: string }[]> =>
      graph.sql(
        'trading',
        `update orders set error_message = 'told' where status = 'accepted'
            and account_id = '00000000-0000-4000-8000-000000000001' returning order_id`,
      );
    await vi.waitFor(() => expect(lines('SNAPSHOT')).not.toEqual([]), { timeout: 30_000 });
    const { length: open } = await change();
    await heard('UPSERT', open);
    for (const socket of sockets) socket.destroy();
    await change();
    await heard('UPSERT', 2 * open);
    await follower.stop();
    expect(lines('SNAPSHOT')).toHaveLength(open);
    expect(lines('RESYNC')).toEqual([]);
    await new Promise((resolve) => server.close(resolve));
  });
});

const rootField = (query: string) => /\{\s*(\w+)/.exec(query)?.[1] ?? '';

describe('the explorer', () => {
  it.each(explorerTabs.filter(({ query }) => query.includes('subscription')))(
    'has a subscription that tells something',
    async ({ query }) => {
      const watcher = watch(graph.client, rootField(query), query);
      await watcher.until(({ kind }) => kind === 'SNAPSHOT');
      await watcher.leave();
    },
  );

  const operations = explorerTabs.filter(({ query }) => !query.includes('subscription'));
  it.each(operations.map((tab) => [/(?:query|mutation) (\w+)/.exec(tab.query)?.[1], tab] as const))(
    'has a tab %s that works as it is, also twice',
    async (_, { query, variables = '{}' }) => {
      for (let time = 1; time <= 2; time++) {
        const { data, errors } = await graph.run(query, JSON.parse(variables));
        expect(errors).toBeUndefined();
        for (const payload of Object.values<{ errors?: unknown[] }>(data)) expect(payload.errors ?? []).toEqual([]);
      }
    },
  );
});

/** A way to the graph that ends after so many requests, as a killed process does. */
function dyingAfter(requests: number, { client }: TestGraph): GraphClient {
  let left = requests;
  return {
    ...client,
    request: (document, variables) =>
      left-- > 0 ? client.request(document, variables) : Promise.reject(new Error('killed')),
  };
}

describe('the demo', () => {
  it('is loaded once', async () => {
    const count = () =>
      graph.sql('exchange', 'select (select count(*) from orders) + (select count(*) from ledger_entries) as n');
    const before = await count();
    await loadDemo(graph.client, log);
    expect(await count()).toEqual(before);
  });

  it('goes on where it was interrupted', async () => {
    const fresh = await startGraph({ domains: DOMAINS });
    try {
      let deaths = 0;
      while (
        !(await loadDemo(dyingAfter(5 + 12 * deaths, fresh), log).then(
          () => true,
          () => false,
        ))
      )
        deaths++;
      expect(deaths).toBeGreaterThan(5);
      expect((await fresh.run(firstQuery())).data).toEqual(portfolio.data);
    } finally {
      await fresh.close();
    }
  });
});
