/**
 * Heads of chains, written down where whoever changes the database does not reach: a file of the machine, and Redis where
 * there is one. What was written down is never taken back.
 */
import { createReadStream } from 'node:fs';
import { appendFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Redis } from 'ioredis';
import { connectRedis, firstAttempt } from '../../../platform/redis.ts';
import type { ServiceParts } from '../../../platform/subgraph.ts';
import type { Head } from '../rules/chain.ts';
import type { Anchor } from '../rules/verification.ts';
import { settings } from '../settings.ts';

export type AnchorPlace = 'file' | 'redis';

interface Line {
  chainId: string;
  sequence: number;
  hash: string;
  anchoredAt: string;
}

/** Anchors that Redis keeps, about: years of hours. */
const REDIS_LENGTH = 1_000_000;

export class Anchors {
  private readonly parts: Pick<ServiceParts, 'dataDir' | 'redisUrl' | 'redisPrefix' | 'log' | 'now'>;
  private readonly redis: Redis | null;
  private readonly isTried: Promise<void>;
  private readonly key: string;

  constructor(parts: Pick<ServiceParts, 'dataDir' | 'redisUrl' | 'redisPrefix' | 'log' | 'now'>) {
    this.parts = parts;
    this.key = `${parts.redisPrefix}anchors`;
    this.redis = parts.redisUrl ? connectRedis({ url: parts.redisUrl, log: parts.log }) : null;
    this.isTried = this.redis ? firstAttempt(this.redis) : Promise.resolve();
  }

  /** The file, or null where nothing is to be kept on this machine. */
  file(): string | null {
    const { dataDir, redisPrefix } = this.parts;
    if (settings.anchorFile) return settings.anchorFile;
    const name = `${redisPrefix.replace(/:$/, '').replaceAll(':', '-')}-anchors.jsonl`;
    return dataDir === undefined ? null : join(dataDir, name);
  }

  /** Writes the heads down wherever there is a place, and says where. Throws when the file cannot be written. */
  async write(heads: readonly Head[]): Promise<AnchorPlace[]> {
    const anchoredAt = this.parts.now().toISOString();
    const lines = heads.map(({ chainId, sequence, hash }): Line => ({ chainId, sequence, hash, anchoredAt }));
    const places: AnchorPlace[] = [];
    const file = this.file();
    if (file !== null) {
      // They begin a line of their own: the last one may have been cut off when the machine went down.
      const text = `\n${lines.map((line) => JSON.stringify(line)).join('\n')}\n`;
      await mkdir(dirname(file), { recursive: true });
      await appendFile(file, text, { mode: 0o600, flush: true });
      places.push('file');
    }
    if (await this.writeToRedis(lines)) places.push('redis');
    return places;
  }

  /** Everything that was ever written down of a chain. */
  async read(chainId: string): Promise<Anchor[]> {
    const found = [...(await this.readFile(chainId)), ...(await this.readRedis(chainId))];
    const distinct = new Map(found.map((anchor) => [`${anchor.sequence}:${anchor.hash}`, anchor]));
    return [...distinct.values()].sort((a, b) => a.sequence - b.sequence);
  }

  async close(): Promise<void> {
    this.redis?.disconnect();
  }

  private async writeToRedis(lines: readonly Line[]): Promise<boolean> {
    const { redis } = this;
    if (!redis) return false;
    await this.isTried;
    try {
      for (const line of lines) {
        await redis.xadd(this.key, 'MAXLEN', '~', REDIS_LENGTH, '*', 'anchor', JSON.stringify(line));
      }
      return true;
    } catch (error) {
      this.parts.log.warn(
        { reason: (error as Error).message },
        'the heads of the chains could not be anchored in Redis',
      );
      return false;
    }
  }

  private async readFile(chainId: string): Promise<Anchor[]> {
    const file = this.file();
    if (file === null) return [];
    const found: Anchor[] = [];
    try {
      for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
        const line = lineOf(text);
        if (line?.chainId === chainId) found.push(line);
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    return found;
  }

  private async readRedis(chainId: string): Promise<Anchor[]> {
    const { redis } = this;
    if (!redis) return [];
    await this.isTried;
    try {
      const entries = await redis.xrange(this.key, '-', '+');
      return entries.flatMap(([, fields]) => {
        const line = lineOf(fields[1] ?? '');
        return line?.chainId === chainId ? [line] : [];
      });
    } catch (error) {
      this.parts.log.warn({ reason: (error as Error).message }, 'the anchors in Redis could not be read');
      return [];
    }
  }
}

/** What the line says; null where it was cut off, or is empty. */
function lineOf(text: string): Line | null {
  try {
    const { chainId, sequence, hash, anchoredAt } = JSON.parse(text) as Line;
    return typeof hash === 'string' && Number.isInteger(sequence) ? { chainId, sequence, hash, anchoredAt } : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
