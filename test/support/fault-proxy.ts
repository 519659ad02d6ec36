/** A TCP proxy that stands between two parts of the graph and does to their connections what a bad network does. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export type ProxyMode =
  /** Every byte goes through at once. */
  | { kind: 'pass' }
  /** Connections are reset, and new ones as soon as they are made. */
  | { kind: 'cut' }
  /** Every chunk waits so long, in either direction. */
  | { kind: 'delay'; ms: number }
  /** So many bytes a second, for each connection and direction. */
  | { kind: 'throttle'; bytesPerSecond: number }
  /** Connections stay open and nothing goes through; what was sent meanwhile goes on afterwards, as TCP would. */
  | { kind: 'blackhole' };

export interface FaultProxy {
  port: number;
  mode(): ProxyMode;
  set(mode: ProxyMode): void;
  /** Resets the connections there are; new ones go through. */
  sever(): void;
  connections(): number;
  close(): Promise<void>;
}

export interface FaultProxyOptions {
  /** Port on 127.0.0.1 that the next connection goes to. */
  target: () => number;
  /** Port to listen on. @default a free one */
  port?: number;
}

const THROTTLED_CHUNKS_PER_SECOND = 20;

/** Listens on 127.0.0.1 and begins in mode `pass`. */
export async function startFaultProxy({ target, port = 0 }: FaultProxyOptions): Promise<FaultProxy> {
  let mode: ProxyMode = { kind: 'pass' };
  let modeChanged = Promise.withResolvers<void>();
  const pairs = new Set<[Socket, Socket]>();

  /** Waits as the mode of this moment has it; gives how many bytes may go now. */
  async function passage(waiting: number): Promise<number> {
    while (mode.kind === 'blackhole') await modeChanged.promise;
    if (mode.kind === 'delay') await sleep(mode.ms);
    if (mode.kind !== 'throttle') return waiting;
    await sleep(1_000 / THROTTLED_CHUNKS_PER_SECOND);
    return Math.max(1, Math.floor(mode.bytesPerSecond / THROTTLED_CHUNKS_PER_SECOND));
  }

  async function pump(from: Socket, to: Socket): Promise<void> {
    for await (const chunk of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      for (let rest = chunk; rest.length > 0; ) {
        const count = await passage(rest.length);
        if (!to.write(rest.subarray(0, count))) await once(to, 'drain');
        rest = rest.subarray(count);
      }
    }
    to.end();
  }

  function reset(pair: [Socket, Socket]): void {
    for (const socket of pair) socket.resetAndDestroy();
    pairs.delete(pair);
  }

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (inner) => {
    if (mode.kind === 'cut') {
      inner.on('error', () => undefined).resetAndDestroy();
      return;
    }
    const outer = connect({ port: target(), host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const pair: [Socket, Socket] = [inner, outer];
    pairs.add(pair);
    for (const socket of pair) {
      socket.on('error', () => reset(pair));
      socket.on('close', () => inner.destroyed && outer.destroyed && pairs.delete(pair));
    }
    for (const [from, to] of [pair, [outer, inner]] as const) void pump(from, to).catch(() => reset(pair));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    mode: () => mode,
    set(next) {
      mode = next;
      modeChanged.resolve();
      modeChanged = Promise.withResolvers();
      if (mode.kind === 'cut') for (const pair of pairs) reset(pair);
    },
    sever() {
      for (const pair of pairs) reset(pair);
    },
    connections: () => pairs.size,
    async close() {
      for (const pair of pairs) reset(pair);
      server.close();
      await once(server, 'close');
    },
  };
}
