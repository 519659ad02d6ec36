/** What each domain's Redis user may, and that it is refused everything else, by a server with the users of a deployment. */
import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DOMAINS, type Domain, redisPrefixOf } from '../../platform/domains.ts';
import { createLogger } from '../../platform/log.ts';
import { connectRedis } from '../../platform/redis.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';

const log = createLogger({ level: 'silent', service: 'test' });
const INSTANCES = [undefined, 'lh', 'alpha'];

/** Every user of the server, and the prefix of its keys. */
const USERS = DOMAINS.flatMap((domain) =>
  INSTANCES.map((instance) => ({ domain, instance, prefix: redisPrefixOf(domain, instance) })),
);

/** Another domain for each. */
const OTHER = Object.fromEntries(DOMAINS.map((domain, i) => [domain, DOMAINS.at(i - 1) as Domain]));

let server: RedisServer;
let operator: Redis;
const connections = new Map<string, Redis>();

beforeAll(async () => {
  server = await startRedis('lh', 'alpha');
  operator = await open(server.url);
  for (const { domain, instance, prefix } of USERS) {
    connections.set(prefix, await open(server.urlOf(domain, instance)));
  }
});

afterAll(async () => {
  for (const redis of [operator, ...connections.values()]) redis.disconnect();
  await server.stop();
});

/** A connection that has been let in. */
async function open(url: string): Promise<Redis> {
  const redis = connectRedis({ url, log });
  try {
    await once(redis, 'ready');
    await redis.ping();
    return redis;
  } catch (error) {
    redis.disconnect();
    throw error;
  }
}

const as = (prefix: string) => connections.get(prefix) as Redis;

/** What the server says to the command: its refusal, or "done". */
async function say(redis: Redis, [name = '', ...words]: readonly string[]): Promise<string> {
  return redis.call(name, ...words).then(
    () => 'done',
    (error: Error) => error.message,
  );
}

/** Redis 7.0 and later ones word differently that a script may not. */
const REFUSED = /^NOPERM|ACL failure in script|script can't access/;

/** Those of the commands that the user is not refused. */
async function allowed(redis: Redis, commands: readonly (readonly string[])[]): Promise<string[]> {
  const answers = await Promise.all(commands.map(async (words) => [words.join(' '), await say(redis, words)] as const));
  return answers.filter(([, answer]) => !REFUSED.test(answer)).map((pair) => pair.join(' → '));
}

const reads = (key: string, own: string) => [
  ['GET', key],
  ['MGET', own, key],
  ['GETRANGE', key, '0', '1'],
  ['HGETALL', key],
  ['LRANGE', key, '0', '-1'],
  ['SMEMBERS', key],
  ['ZRANGE', key, '0', '-1'],
  ['XRANGE', key, '-', '+'],
  ['XREAD', 'COUNT', '1', 'STREAMS', key, '0'],
  ['XREAD', 'COUNT', '1', 'STREAMS', own, key, '0', '0'],
  ['XINFO', 'STREAM', key],
  ['EXISTS', key],
  ['TYPE', key],
  ['TTL', key],
  ['DUMP', key],
  ['OBJECT', 'ENCODING', key],
  ['MEMORY', 'USAGE', key],
  ['WATCH', key],
];

const writes = (key: string, own: string) => [
  ['SET', key, '1'],
  ['MSET', own, '1', key, '1'],
  ['INCR', key],
  ['APPEND', key, '1'],
  ['GETDEL', key],
  ['SETBIT', key, '1', '1'],
  ['BITOP', 'NOT', own, key],
  ['HSET', key, 'field', '1'],
  ['LPUSH', key, '1'],
  ['LMOVE', own, key, 'LEFT', 'LEFT'],
  ['SADD', key, '1'],
  ['SUNIONSTORE', own, key],
  ['ZADD', key, '1', 'one'],
  ['ZUNIONSTORE', key, '1', own],
  ['PFADD', key, '1'],
  ['XADD', key, '*', 'field', '1'],
  ['XTRIM', key, 'MAXLEN', '0'],
  ['XGROUP', 'CREATE', key, 'group', '$', 'MKSTREAM'],
  ['XREADGROUP', 'GROUP', 'group', 'me', 'STREAMS', key, '>'],
  ['EXPIRE', key, '1'],
  ['PERSIST', key],
  ['RENAME', own, key],
  ['RENAME', key, own],
  ['COPY', key, own],
  ['COPY', own, key],
  ['MOVE', key, '1'],
  ['UNLINK', key],
  ['DEL', own, key],
];

const scripts = (key: string) => [
  ['EVAL', "return redis.call('GET', KEYS[1])", '1', key],
  ['EVAL', "return redis.call('SET', KEYS[1], ARGV[1])", '1', key, 'x'],
  ['EVAL_RO', "return redis.call('GET', KEYS[1])", '1', key],
  ['EVAL', "return redis.call('GET', ARGV[1])", '0', key],
  ['EVAL', "return redis.call('SET', ARGV[1], 'x')", '0', key],
  ['EVAL', "return redis.call('XADD', ARGV[1], '*', 'field', 'x')", '0', key],
  ['EVAL', "return redis.pcall('DEL', ARGV[1])", '0', key],
];

const everything = (key: string, own: string) => [...reads(key, own), ...writes(key, own), ...scripts(key)];

describe.each(USERS)('the user of $prefix', ({ domain, instance, prefix }) => {
  const own = `${prefix}key`;

  it('may read, write and run scripts on its own keys', async () => {
    const commands = everything(own, `${prefix}other`);
    const done = await allowed(as(prefix), commands);
    expect(done.length).toBe(commands.length);
    await as(prefix).unwatch();
    const chain = as(prefix).multi().set(own, 'mine').get(own);
    expect(await chain.exec()).toEqual([
      [null, 'OK'],
      [null, 'mine'],
    ]);
    await as(prefix).del(own);
  });

  it('is refused the keys of every other, whatever it does with them', async () => {
    // The keys of its instances lie among those of a domain: `trading:lh:` under `trading:`.
    const others = USERS.filter((other) => !other.prefix.startsWith(prefix)).map((other) => other.prefix);
    const foreign = [...others, 'stranger:', '', 'config:', `x${prefix}`, prefix.toUpperCase(), prefix.slice(0, -1)];
    for (const start of foreign) {
      const key = `${start}key`;
      await operator.set(key, 'theirs');
      expect(await allowed(as(prefix), everything(key, own))).toEqual([]);
      expect(await operator.get(key)).toBe('theirs');
      await operator.del(key);
    }
  });

  it('is refused a script that another user has loaded, where it leads to others', async () => {
    const sha = await operator.script('LOAD', "return redis.call('GET', ARGV[1])");
    const theirs = USERS.find((other) => !other.prefix.startsWith(prefix))?.prefix;
    expect(await allowed(as(prefix), [['EVALSHA', String(sha), '0', `${theirs}key`]])).toEqual([]);
    expect(await say(as(prefix), ['EVALSHA', String(sha), '0', own])).toBe('done');
  });

  it('is refused a foreign key in a transaction, and with it the transaction', async () => {
    const theirs = USERS.find((other) => !other.prefix.startsWith(prefix))?.prefix;
    const chain = as(prefix).multi().set(own, 'mine').set(`${theirs}key`, 'mine');
    await expect(chain.exec()).rejects.toThrow(/EXECABORT|NOPERM/);
    expect(await operator.exists(own, `${theirs}key`)).toBe(0);
  });

  it('is refused every command that Redis calls dangerous', async () => {
    const dangerous = await dangerousCommands();
    expect(dangerous.length).toBeGreaterThan(50);
    for (const words of dangerous) {
      const answer = await say(as(prefix), words);
      // DEBUG and MODULE are refused to everybody unless the server was started otherwise.
      expect([...words, '→', answer].join(' ')).toMatch(/→ (NOPERM|ERR (DEBUG|MODULE) command not allowed)/);
    }
  });

  it('is refused what all users of a server share: functions, cached scripts, channels, users', async () => {
    const shared = [
      ['FUNCTION', 'LOAD', '#!lua name=mine\nredis.register_function("mine", function() return 1 end)'],
      ['FUNCTION', 'DELETE', 'theirs'],
      ['FUNCTION', 'FLUSH'],
      ['FUNCTION', 'LIST'],
      ['FCALL', 'theirs', '0'],
      ['SCRIPT', 'FLUSH'],
      ['SCRIPT', 'KILL'],
      ['PUBLISH', `${prefix}channel`, 'news'],
      ['SPUBLISH', `${prefix}channel`, 'news'],
      ['PUBSUB', 'CHANNELS'],
      ['SUBSCRIBE', `${prefix}channel`],
      ['PSUBSCRIBE', '*'],
      ['ACL', 'WHOAMI'],
      ['ACL', 'SETUSER', 'me'],
      ['MEMORY', 'STATS'],
    ];
    expect(await allowed(as(prefix), shared)).toEqual([]);
  });

  it('needs its own password', async () => {
    const { username } = new URL(server.urlOf(domain, instance));
    const [mine, theirs] = [domain, OTHER[domain]].map(
      (one) => new URL(server.urlOf(one as Domain, instance)).password,
    );
    const redis = connectRedis({ url: `redis://127.0.0.1:${server.port}`, log });
    await once(redis, 'ready');
    expect(await say(redis, ['AUTH', username, theirs as string])).toMatch('WRONGPASS');
    expect(await say(redis, ['AUTH', username, mine as string])).toBe('done');
    redis.disconnect();
  });
});

/** Each command of the category, with as many words as it takes at least: Redis counts them before it asks for rights. */
async function dangerousCommands(): Promise<string[][]> {
  const names = (await operator.call('ACL', 'CAT', 'dangerous')) as string[];
  const infos = (await operator.call('COMMAND', 'INFO', ...names)) as [string, number][];
  return names.map((name, i) => {
    const words = name.split('|');
    const needed = Math.abs(infos[i]?.[1] ?? 0) - words.length;
    return [...words, ...Array<string>(Math.max(0, needed)).fill('0')];
  });
}

describe('who does not say who he is', () => {
  it('may nothing, not even ask whether the server is there', async () => {
    const redis = connectRedis({ url: `redis://127.0.0.1:${server.port}`, log });
    await once(redis, 'ready');
    for (const words of [['PING'], ['GET', 'key'], ['SET', 'market:key', '1'], ['INFO']]) {
      expect(await say(redis, words)).toMatch('NOAUTH');
    }
    redis.disconnect();
  });
});

describe('a connection', () => {
  it('may be to another database of the server, with the same rights there', async () => {
    const redis = await open(`${server.urlOf('trading')}/1`);
    expect(await redis.set('trading:key', '1')).toBe('OK');
    expect(await operator.exists('trading:key')).toBe(0);
    expect(await say(redis, ['GET', 'exchange:key'])).toMatch('NOPERM');
    redis.disconnect();
  });

  it.each(['trading_adapter:wrong@', ''])(
    'is away while "%s" is not let in, however often it is opened',
    async (who) => {
      const lines: string[] = [];
      const listening = pino({}, { write: (line) => void lines.push(JSON.parse(line).msg) });
      const redis = connectRedis({ url: `redis://${who}127.0.0.1:${server.port}`, log: listening });
      for (let i = 0; i < 4; i++) {
        await new Promise((resolve) => redis.once('ready', resolve));
        await redis.ping().catch(() => undefined);
        redis.disconnect(true);
      }
      expect(lines).toEqual(['Redis is away']);
      redis.disconnect();
    },
  );
});

it('no two domains and instances share a prefix', () => {
  const singletons = DOMAINS.map((domain: Domain) => redisPrefixOf(domain));
  for (const one of singletons) expect(singletons.filter((other) => other.startsWith(one))).toEqual([one]);
  expect(new Set(USERS.map(({ prefix }) => prefix)).size).toBe(USERS.length);
});
