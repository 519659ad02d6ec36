/** A subgraph that takes requests and answers none of them, and the gateway that leaves it alone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Circuit, createCircuit, FAILURES } from '../../../gateway/transport/circuit.ts';
import { CircuitOpen, DomainUnavailable } from '../../../gateway/transport/domain-unavailable.ts';
import { createLogger } from '../../../platform/log.ts';
import { startToyGraph, type ToyGraph } from './toy-graph.ts';
import { ACCOUNT_ID, hang } from './toy-subgraphs.ts';

const PAGE = `{ instrument(symbol: "BTC-USD") { symbol } exchangeAccount(accountId: "${ACCOUNT_ID}") { type } }`;
const COMMAND = 'mutation { cancelExchangeOrder(orderId: "o") { orderId } }';
const AWAY = { code: 'DOMAIN_UNAVAILABLE', domain: 'exchange' };

describe('a subgraph that hangs', () => {
  let graph: ToyGraph;
  let signsOfLife: number;
  let isThere: boolean;

  beforeEach(async () => {
    graph = await startToyGraph({ spreadOut: true, fetchTimeoutMs: 200 });
    const { exchange } = graph.toys;
    signsOfLife = 0;
    isThere = false;
    exchange.fault = hang;
    exchange.isReady = async () => {
      signsOfLife++;
      return isThere;
    };
  });
  afterEach(() => graph.close());

  const sent = () => graph.toys.exchange.requests.length;
  const logged = () => graph.logged.map(({ message }) => message);

  async function openCircuit(): Promise<void> {
    for (let failure = 0; failure < FAILURES; failure++) await graph.run(PAGE);
    expect(sent()).toBe(FAILURES);
  }

  it('is not asked any more after five requests, and others answer as before', async () => {
    await openCircuit();
    for (let request = 0; request < 20; request++) {
      const { data, errors } = await graph.run(PAGE);
      expect(data).toEqual({ instrument: { symbol: 'BTC-USD' }, exchangeAccount: null });
      expect(errors).toMatchObject([{ path: ['exchangeAccount'], extensions: AWAY }]);
    }
    expect(sent()).toBe(FAILURES);
    expect(logged()).toEqual(['a domain went away', 'a domain is left alone']);
  });

  it('is sent no command, and whoever gave one is told that it was not carried out', async () => {
    const first = await graph.run(COMMAND);
    expect(first.errors?.[0]?.message).toContain('is not known; send it again with the same idempotencyKey');
    for (let failure = 1; failure < FAILURES; failure++) await graph.run(PAGE);
    const { data, errors } = await graph.run(COMMAND);
    expect(data).toEqual({ cancelExchangeOrder: null });
    expect(errors).toMatchObject([
      { message: 'The exchange domain does not answer. The command was not carried out; try again later.' },
    ]);
    expect(errors?.[0]?.extensions).toEqual(AWAY);
    expect(sent()).toBe(FAILURES);
  });

  it('is asked again as soon as it gives a sign of life, and then for none any more', async () => {
    await openCircuit();
    await vi.waitFor(() => expect(signsOfLife).toBeGreaterThan(1), 30_000);
    expect((await graph.run(PAGE)).data.exchangeAccount).toBeNull();
    expect(sent()).toBe(FAILURES);
    graph.toys.exchange.fault = undefined;
    isThere = true;
    await vi.waitFor(() => expect(logged()).toContain('a domain is asked again'), 30_000);
    const { data, errors } = await graph.run(PAGE);
    expect(errors).toBeUndefined();
    expect(data.exchangeAccount).toEqual({ type: 'SPOT' });
    const before = signsOfLife;
    await sleep(1_500);
    expect(signsOfLife).toBe(before);
  });

  it('is not given up for requests that their clients have left', async () => {
    for (let left = 0; left < FAILURES * 2; left++) {
      const leaving = new AbortController();
      const answer = graph.gateway.execute(PAGE, {}, { signal: leaving.signal });
      await vi.waitFor(() => expect(sent()).toBe(left + 1), 30_000);
      leaving.abort();
      await answer;
    }
    graph.toys.exchange.fault = undefined;
    expect((await graph.run(PAGE)).data.exchangeAccount).toEqual({ type: 'SPOT' });
  });

  it('is not asked for signs of life by a gateway that has closed', async () => {
    await openCircuit();
    await graph.gateway.close();
    const before = signsOfLife;
    await sleep(1_500);
    expect(signsOfLife).toBe(before);
  });
});

describe('a circuit', () => {
  const log = createLogger({ level: 'silent', service: 'test' });
  const fail = () => Promise.reject(new DomainUnavailable('exchange'));
  let circuit: Circuit;

  beforeEach(async () => {
    vi.useFakeTimers();
    circuit = createCircuit({ domain: 'exchange', isThere: async () => false, log });
    for (let failure = 0; failure < FAILURES; failure++) {
      await expect(circuit.pass(fail)).rejects.not.toThrow(CircuitOpen);
    }
    await expect(circuit.pass(fail)).rejects.toThrow(CircuitOpen);
  });
  afterEach(() => {
    circuit.close();
    vi.useRealTimers();
  });

  it('lets one call through after a minute, and all of them when that is answered', async () => {
    await vi.advanceTimersByTimeAsync(59_000);
    await expect(circuit.pass(async () => 'answer')).rejects.toThrow(CircuitOpen);
    await vi.advanceTimersByTimeAsync(1_000);
    const { promise, resolve } = Promise.withResolvers<string>();
    const trial = circuit.pass(() => promise);
    await expect(circuit.pass(async () => 'answer')).rejects.toThrow(CircuitOpen);
    resolve('answer');
    expect(await trial).toBe('answer');
    expect(await circuit.pass(async () => 'answer')).toBe('answer');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits another minute when that is not answered', async () => {
    await vi.advanceTimersByTimeAsync(60_000);
    await expect(circuit.pass(fail)).rejects.not.toThrow(CircuitOpen);
    await vi.advanceTimersByTimeAsync(59_000);
    await expect(circuit.pass(fail)).rejects.toThrow(CircuitOpen);
  });

  it('leaves no timer behind', () => {
    expect(vi.getTimerCount()).toBe(1);
    circuit.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('answers one after the other', () => {
  it('begin the count anew', async () => {
    const log = createLogger({ level: 'silent', service: 'test' });
    const circuit = createCircuit({ domain: 'exchange', isThere: async () => true, log });
    for (let call = 0; call < FAILURES * 4; call++) {
      const isAnswered = call % FAILURES === 0;
      const answer = circuit.pass(async () => {
        if (!isAnswered) throw new DomainUnavailable('exchange');
        return 'answer';
      });
      await (isAnswered ? expect(answer).resolves.toBe('answer') : expect(answer).rejects.not.toThrow(CircuitOpen));
    }
    circuit.close();
  });
});
