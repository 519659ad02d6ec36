/** Heads of chains, written down in a file and in Redis: what either remembers is enough to miss what was cut off. */
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLogger } from '../../../platform/log.ts';
import { redisUrlOf } from '../../../platform/redis-users.ts';
import { Anchors } from '../../../subgraphs/audit/chain/anchors.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { settingsAsBefore, withSettings } from './watch.ts';

let server: RedisServer;
let dataDir: string;

beforeAll(async () => {
  server = await startRedis();
  dataDir = await mkdtemp(join(tmpdir(), 'trading-data-graph-anchors-'));
  withSettings({ anchorFile: undefined });
});
afterAll(async () => {
  settingsAsBefore();
  await server.stop();
  await rm(dataDir, { recursive: true, force: true });
});

const log = createLogger({ level: 'silent', service: 'test' });

const open = (own: { dataDir?: string; redisUrl?: string; redisPrefix?: string }) =>
  new Anchors({ dataDir: undefined, redisUrl: undefined, redisPrefix: 'audit:', log, now: () => new Date(), ...own });

const head = (chainId: string, sequence: number) => ({ chainId, sequence, hash: String(sequence % 10).repeat(64) });

it('are kept by the domain’s own Redis user and in the file, and read from either', async () => {
  const redisUrl = redisUrlOf(server.url, 'audit', {}) as string;
  const both = open({ dataDir, redisUrl });
  expect(await both.write([head('audit:trading', 5), head('audit:risk', 2)])).toEqual(['file', 'redis']);
  expect(await both.write([head('audit:trading', 9)])).toEqual(['file', 'redis']);
  const expected = [head('audit:trading', 5), head('audit:trading', 9)].map(({ sequence, hash }) => ({
    sequence,
    hash,
  }));
  for (const anchors of [both, open({ dataDir }), open({ redisUrl })]) {
    const read = await anchors.read('audit:trading');
    expect(read.map(({ sequence, hash }) => ({ sequence, hash }))).toEqual(expected);
    await anchors.close();
  }
});

it('of another instance are others', async () => {
  const other = open({ dataDir, redisPrefix: 'audit:lh:' });
  expect(other.file()).toBe(join(dataDir, 'audit-lh-anchors.jsonl'));
  expect(await other.read('audit:trading')).toEqual([]);
});

it('are read past a line that was cut off, and with no place there are none', async () => {
  const file = open({ dataDir });
  await appendFile(file.file() as string, '{"chainId":"audit:trading","seq');
  expect(await file.read('audit:trading')).toHaveLength(2);
  expect(await open({}).write([head('audit:trading', 1)])).toEqual([]);
});

it('are kept in the file while Redis is away, and that is said', async () => {
  const away = open({ dataDir, redisUrl: 'redis://127.0.0.1:1' });
  expect(await away.write([head('audit:risk', 7)])).toEqual(['file']);
  expect((await away.read('audit:risk')).map(({ sequence }) => sequence)).toEqual([2, 7]);
  await away.close();
});
