/** The Redis users of a deployment: their URLs, the file that makes them, and the one that docker-compose.yml uses. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DOMAINS, environmentPrefix, roleOf } from '../../platform/domains.ts';
import { redisUrlOf, userLines, withUsers } from '../../platform/redis-users.ts';

describe('the URL of a domain’s user', () => {
  it('follows from REDIS_URL where that has a password', () => {
    const { username, password, host } = new URL(redisUrlOf('redis://:s%C3%A9cret@cache:6380', 'trading', {}));
    expect({ username, host }).toEqual({ username: 'trading_adapter', host: 'cache:6380' });
    expect(password).toMatch(/^[0-9a-f]{64}$/);
    expect(redisUrlOf('redis://anybody:s%C3%A9cret@cache:6380', 'trading', {})).toContain(password);
    expect(redisUrlOf('redis://:s%C3%A9cret@cache:6380', 'exchange', {})).not.toContain(password);
  });

  it('is that of the instance', () => {
    const url = redisUrlOf('rediss://:secret@cache/1', 'trading', { TRADING_INSTANCE: 'lh' });
    expect(url).toMatch(/^rediss:\/\/trading_lh_adapter:[0-9a-f]{64}@cache\/1$/);
  });

  it('is REDIS_URL itself where that has no password: such a Redis knows no users', () => {
    expect(redisUrlOf('redis://cache:6379', 'trading', {})).toBe('redis://cache:6379');
    expect(redisUrlOf(undefined, 'trading', {})).toBeUndefined();
  });

  it('is <DOMAIN>_REDIS_URL where that is set', () => {
    const own = 'redis://somebody:else@elsewhere:1';
    expect(redisUrlOf('redis://:secret@cache', 'trading', { TRADING_REDIS_URL: own })).toBe(own);
    expect(redisUrlOf(undefined, 'trading', { TRADING_REDIS_URL: own })).toBe(own);
  });
});

describe('the ACL file', () => {
  const REDIS_URL = 'redis://:secret@cache';

  it('has a user a domain, shuts everybody else out, and shows no password', () => {
    const lines = userLines(REDIS_URL, {});
    expect(lines[0]).toMatch(/^user default off /);
    expect(lines.slice(1).map((line) => line.split(' ')[1])).toEqual(DOMAINS.map((domain) => roleOf(domain)));
    for (const domain of DOMAINS) {
      expect(lines.join()).not.toContain(new URL(redisUrlOf(REDIS_URL, domain, {})).password);
    }
  });

  it('is not made of URLs without a password, or with a user that is not the domain’s', () => {
    expect(() => userLines('redis://cache', {})).toThrow('Set REDIS_URL with a password, or MARKET_DATA_REDIS_URL');
    expect(() => userLines(REDIS_URL, { TRADING_REDIS_URL: 'redis://exchange_adapter:x@cache' })).toThrow(
      'TRADING_REDIS_URL with the user trading_adapter and its password',
    );
  });

  it('keeps the users of others, and replaces its own', () => {
    const operator = 'user operator on >secret ~* &* +@all';
    const first = withUsers(`${operator}\n`, userLines(REDIS_URL, {}));
    const second = withUsers(first, userLines('redis://:changed@cache', { TRADING_INSTANCE: 'lh' }));
    const users = second.split('\n').map((line) => line.split(' ')[1]);
    expect(users.toSorted()).toEqual(
      [undefined, 'default', 'operator', 'trading_lh_adapter', ...DOMAINS.map((domain) => roleOf(domain))].toSorted(),
    );
    expect(second).toContain(operator);
    expect(withUsers(second, userLines('redis://:changed@cache', { TRADING_INSTANCE: 'lh' }))).toBe(second);
  });

  it('is written by the command of the README', () => {
    const folder = mkdtempSync(join(tmpdir(), 'redis-users-'));
    const file = join(folder, 'users.acl');
    writeFileSync(file, 'user operator on nopass ~* &* +@all\n');
    const { PATH = '' } = process.env;
    for (const INSTANCE of ['', 'lh']) {
      execFileSync(process.execPath, ['scripts/redis-users.ts', file], { env: { PATH, REDIS_URL, INSTANCE } });
    }
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(lines.length).toBe(2 + 2 * DOMAINS.length);
    expect(lines).toEqual(
      expect.arrayContaining([...userLines(REDIS_URL, {}), ...userLines(REDIS_URL, { INSTANCE: 'lh' })]),
    );
    rmSync(folder, { recursive: true });
  });
});

describe('docker-compose.yml', () => {
  const compose = readFileSync('docker-compose.yml', 'utf8');
  const file = readFileSync('deploy/redis/users.acl', 'utf8');

  /** The URL of the domain as it is when no password is set. */
  const urlOf = (prefix: string) =>
    new RegExp(`\\bredis://${prefix.toLowerCase()}_adapter:\\$\\{${prefix}_PASSWORD:-([a-z-]+)\\}@redis:6379`)
      .exec(compose)?.[0]
      .replace(/\$\{\w+:-([a-z-]+)\}/, '$1');

  it('starts Redis with the file, whose users have the passwords that are there when none are set', () => {
    const urls = DOMAINS.map(environmentPrefix).map((prefix) => [`${prefix}_REDIS_URL`, urlOf(prefix)]);
    // Made anew by: node scripts/redis-users.ts --development
    expect(file).toBe(withUsers('', userLines(undefined, Object.fromEntries(urls))));
    expect(compose).toContain('./deploy/redis/users.acl}:/etc/redis/users.acl:ro');
    expect(compose).toContain('redis-server --aclfile /etc/redis/users.acl');
  });
});
