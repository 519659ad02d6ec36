/** The instruments of the fault tests: the proxy does to a connection what each mode says, and Redis is a real one. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts';
import { startRedis } from '../../support/redis.ts';

describe('a fault proxy', () => {
  let echo: Server;
  let proxy: FaultProxy;
  const sockets: Socket[] = [];
  beforeEach(async () => {
    echo = createServer({ allowHalfOpen: true }, (socket) => void socket.on('error', () => undefined).pipe(socket));
    await once(echo.listen(0, '127.0.0.1'), 'listening');
    proxy = await startFaultProxy({ target: () => (echo.address() as AddressInfo).port });
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await proxy.close();
    echo.close();
  });

  const opened = async () => {
    const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
    sockets.push(socket.on('error', () => undefined));
    await once(socket, 'connect');
    return socket;
  };
  const closed = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve));
  const echoed = async (socket: Socket, text: string) => {
    const startedAt = performance.now();
    socket.write(text);
    let got = '';
    while (got.length < text.length) got += String((await once(socket, 'data'))[0]);
    return { got, tookMs: performance.now() - startedAt };
  };

  it('passes everything on, the end of either direction too', async () => {
    const socket = await opened();
    const text = 'x'.repeat(300_000);
    expect((await echoed(socket, text)).got).toBe(text);
    expect(proxy.connections()).toBe(1);
    socket.end();
    await once(socket, 'end');
    await expect.poll(() => proxy.connections()).toBe(0);
  });

  it('resets connections when it is cut, and new ones until it passes again', async () => {
    const socket = await opened();
    await echoed(socket, 'a');
    proxy.set({ kind: 'cut' });
    await closed(socket);
    await closed(connect(proxy.port, '127.0.0.1').on('error', () => undefined));
    proxy.set({ kind: 'pass' });
    expect((await echoed(await opened(), 'b')).got).toBe('b');
  });

  it('severs what is there and lets the next through', async () => {
    const socket = await opened();
    await echoed(socket, 'a');
    proxy.sever();
    await closed(socket);
    expect((await echoed(await opened(), 'b')).got).toBe('b');
  });

  it('delays each way', async () => {
    proxy.set({ kind: 'delay', ms: 50 });
    expect((await echoed(await opened(), 'a')).tookMs).toBeGreaterThan(95);
  });

  it('throttles', async () => {
    proxy.set({ kind: 'throttle', bytesPerSecond: 2_000 });
    expect((await echoed(await opened(), 'x'.repeat(500))).tookMs).toBeGreaterThan(200);
  });

  it('holds back and later passes on what was sent into a black hole', async () => {
    const socket = await opened();
    proxy.set({ kind: 'blackhole' });
    const answer = echoed(socket, 'a');
    expect(await Promise.race([answer, sleep(100, 'nothing')])).toBe('nothing');
    proxy.set({ kind: 'pass' });
    expect((await answer).got).toBe('a');
  });
});

describe('a Redis server', () => {
  it('answers, forgets when it is killed, and comes back on its port', async () => {
    const redis = await startRedis();
    expect(await redis.command('SET', 'key', 'value')).toBe('+OK');
    await redis.kill();
    await expect(redis.command('GET', 'key')).rejects.toThrow('ECONNREFUSED');
    await redis.start();
    expect(await redis.command('GET', 'key')).toBe('$-1');
    await redis.stop();
  });
});
