/** What the contracts of the repositories run over: a real Redis, and the memory of the process. */
import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { createLogger } from '../../../platform/log.ts';
import { connectRedis } from '../../../platform/redis.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';

export interface Store {
  server: RedisServer;
  redis: Redis;
  close(): Promise<void>;
}

/** A Redis server with one connection that is ready. */
export async function startStore(): Promise<Store> {
  const server = await startRedis();
  const redis = await connection(server.url);
  return {
    server,
    redis,
    async close() {
      redis.disconnect();
      await server.stop();
    },
  };
}

/** The server's URL with another user, whose password is "secret". */
export function withUser(address: string, user: string): string {
  const url = new URL(address);
  url.username = user;
  url.password = 'secret';
  return url.href;
}

export async function connection(url: string): Promise<Redis> {
  const redis = connectRedis({ url, log: createLogger({ level: 'silent', service: 'test' }) });
  await once(redis, 'ready');
  return redis;
}
