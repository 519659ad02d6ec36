/** The audit is killed, twice over and cut off, while others trade: nothing is lost, nothing is sealed twice. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { domainUrl } from '../../prisma/roles.ts';
import { addOrders, addStrategies, eventually } from '../platform/feed/rows.ts';
import { copyTemplate } from '../support/databases.ts';
import { startGraph, type TestGraph } from '../support/graph.ts';
import { freePort, type RunningProcess, startProcess } from '../support/processes.ts';

let graph: TestGraph;
let server: Server;
let url: string;
let drop: () => Promise<void>;
let own: pg.Client;
const sockets = new Set<Socket>();
const running: RunningProcess[] = [];

const trading = { sql: (text: string, params?: unknown[]) => graph.sql('trading', text, params) };

beforeAll(async () => {
  ({ url, drop } = await copyTemplate(inject('adminUrl')));
  graph = await startGraph({ databaseUrl: url });
  await eventually('trading leads its feed', () => graph.subgraphs.get('trading')?.feed.isLeader() ?? false);
  server = createServer(graph.gateway.handler);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  graph.gateway.attachWebSocket(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  own = new pg.Client({
    connectionString: domainUrl(url, 'audit', {}),
    options: '-c search_path=audit -c TimeZone=UTC',
  });
  await own.connect();
  await addStrategies(trading as never);
});

afterAll(async () => {
  await Promise.all(running.map((one) => one.stop('SIGKILL')));
  await own.end();
  await graph.close();
  server.close();
  await drop();
});

async function startAudit(): Promise<RunningProcess> {
  const { port } = server.address() as AddressInfo;
  const one = startProcess(['subgraphs/main.ts', 'audit'], {
    PORT: String(await freePort()),
    GATEWAY_URL: `http://127.0.0.1:${port}/graphql`,
    AUDIT_DATABASE_URL: domainUrl(url, 'audit', {}),
    AUDIT_ANCHOR_MINUTES: '0',
    LOG_LEVEL: 'fatal',
  });
  running.push(one);
  return one;
}

const sealedCount = async () =>
  Number(
    (await own.query(`select count(*) as count from audit_events where entity_type = 'TradingOrder'`)).rows[0].count,
  );

it('that is killed in the middle, has a second beside it, and loses its way to the graph', async () => {
  let written = 0;
  const write = async (count: number) => {
    await addOrders(trading, count, `o${written}-`);
    written += count;
  };
  await write(200);
  let first = await startAudit();
  await eventually('the first order is sealed', async () => (await sealedCount()) > 0);

  const busy = (async () => {
    for (let i = 0; i < 8; i++) await write(250);
  })();
  await sleep(100);
  await first.stop('SIGKILL');
  await busy;
  first = await startAudit();
  const second = await startAudit();
  for (const socket of sockets) socket.destroy();
  await write(300);
  await eventually('all is sealed', async () => (await sealedCount()) >= written);
  await first.stop('SIGKILL');
  await write(50);
  await eventually('the second has taken over', async () => (await sealedCount()) >= written);

  const changes = await graph.sql('trading', `select key from change_log where relation = 'orders' order by seq`);
  const events = (
    await own.query(`select entity_id, event_id from audit_events where entity_type = 'TradingOrder' order by sequence`)
  ).rows;
  expect(events.map((event) => event.entity_id)).toEqual(changes.map(({ key }) => key));
  expect(new Set(events.map((event) => event.event_id)).size).toBe(written);
  expect((await own.query(`select from audit_events where event_type = 'trail_gap'`)).rowCount).toBe(0);

  const { rows: heads } = await own.query(`select sequence, hash from chain_heads where chain_id = 'audit:trading'`);
  const { rows } = await own.query(
    `select sequence, prev_hash, hash from audit_events where chain_id = 'audit:trading' order by sequence`,
  );
  expect(rows).toHaveLength(Number(heads[0].sequence));
  expect(rows.at(-1).hash).toBe(heads[0].hash);
  expect(rows.every((row, i) => row.prev_hash === (rows[i - 1]?.hash ?? '0'.repeat(64)))).toBe(true);
  expect(second.child.exitCode).toBeNull();
});
