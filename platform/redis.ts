/** Redis, as every part of the graph connects to it. It is an accelerator: nobody waits for it for long. */
import { Redis } from 'ioredis';
import type { Logger } from './log.ts';

/** A command that takes longer is given up; whoever asked goes the other way. */
const COMMAND_TIMEOUT_MS = 1_000; // 1 second
const CONNECT_TIMEOUT_MS = 2_000; // 2 seconds
const RECONNECT_LIMIT_MS = 2_000; // 2 seconds

export interface RedisOptions {
  url: string;
  log: Logger;
  /** For a connection whose commands wait for news. @default COMMAND_TIMEOUT_MS */
  commandTimeoutMs?: number | undefined;
}

/**
 * A connection that comes back by itself. Commands fail at once while it is away, and are never sent twice. It asks
 * no INFO, which a domain's Redis user may not, and tells the server nothing of itself, which older servers refuse.
 */
export function connectRedis({ url, log, commandTimeoutMs = COMMAND_TIMEOUT_MS }: RedisOptions): Redis {
  const redis = new Redis(url, {
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: commandTimeoutMs,
    enableOfflineQueue: false,
    enableReadyCheck: false,
    maxRetriesPerRequest: 1,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (attempt) => Math.min(RECONNECT_LIMIT_MS, 50 * attempt),
    disableClientInfo: true,
  });
  let isAway = false;
  const lose = (error: Error) => {
    if (!isAway) log.warn({ reason: error.message }, 'Redis is away');
    isAway = true;
  };
  const find = () => {
    if (isAway) log.info('Redis is back');
    isAway = false;
  };
  redis.on('error', lose);
  redis.on('ready', () => {
    // Connected is not let in: a missing or wrong password is told only to the first command.
    redis.ping().then(find, (error: Error) => {
      if (error.name === 'ReplyError') lose(error);
    });
  });
  return redis;
}

/** Resolves once the first attempt to connect has succeeded or failed: until then every command would fail. */
export function firstAttempt(redis: Redis): Promise<void> {
  return new Promise((resolve) => {
    redis.once('ready', () => resolve());
    redis.once('error', () => resolve());
    redis.once('end', () => resolve());
  });
}
