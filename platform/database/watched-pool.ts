/** A pool of connections whose users are told at once while the database is silent. */
import type { Socket } from 'node:net';
import pg from 'pg';
import type { Logger } from '../log.ts';
import { Pulse, Silent } from './pulse.ts';

interface Waiting {
  reject(error: Error): void;
}

/** @param config of the pool, and of the connection on which the database is asked whether it is there */
export function watchedPool(config: pg.PoolConfig, log: Logger): { pool: pg.Pool; close(): Promise<void> } {
  const pool = new pg.Pool(config);
  const clients = new Set<pg.PoolClient>();
  const waiting = new Set<Waiting>();
  const pulse = new Pulse({ ask: (signal) => ask(config, signal), giveUp, log });
  const connect = pool.connect.bind(pool);

  function giveUp(): void {
    for (const wait of waiting) wait.reject(new Silent());
    for (const client of clients) cut(client);
  }

  function take(): Promise<pg.PoolClient> {
    if (pulse.isSilent) return Promise.reject(new Silent());
    return new Promise((resolve, reject) => {
      const wait: Waiting = {
        reject: (error) => {
          stop();
          reject(error);
        },
      };
      const stop = () => {
        pulse.end(wait);
        return waiting.delete(wait);
      };
      waiting.add(wait);
      pulse.begin(wait);
      // A connection that comes when nobody waits for it any more goes back.
      connect().then((client) => (stop() ? resolve(client) : client.release()), wait.reject);
    });
  }

  // Statements of the pool itself and Prisma's adapter both get their connections here.
  pool.connect = ((callback?: ConnectCallback) => {
    const taken = take();
    if (!callback) return taken;
    return taken.then(
      (client) => callback(undefined, client, client.release),
      (error: Error) => callback(error, undefined, () => undefined),
    );
  }) as typeof pool.connect;
  pool.on('connect', (client) => {
    clients.add(client);
    streamOf(client).on('data', () => pulse.hear());
  });
  pool.on('acquire', (client) => pulse.begin(client));
  pool.on('release', (_, client) => pulse.end(client));
  pool.on('remove', (client) => {
    pulse.end(client);
    clients.delete(client);
  });

  return {
    pool,
    close() {
      pulse.close();
      return pool.end();
    },
  };
}

type ConnectCallback = (error: Error | undefined, client: pg.PoolClient | undefined, done: () => void) => void;

/** A refusal is an answer too. */
async function ask(config: pg.PoolConfig, signal: AbortSignal): Promise<void> {
  const client = new pg.Client({ ...config, connectionTimeoutMillis: 0, application_name: 'trading-data-graph pulse' });
  client.on('error', () => undefined); // what was asked says so
  signal.addEventListener('abort', () => cut(client), { once: true });
  await client
    .connect()
    .then(() => client.query('select 1'))
    .catch(() => undefined);
}

/** Breaks the connection without a word to the server: whatever waits on it fails. */
function cut(client: pg.ClientBase): void {
  streamOf(client).destroy();
}

function streamOf(client: pg.ClientBase): Socket {
  return (client as unknown as { connection: { stream: Socket } }).connection.stream;
}
