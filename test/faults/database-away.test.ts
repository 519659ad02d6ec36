/** The graph while its database is killed under it, and afterwards. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../support/graph.ts';
import { type OwnPostgres, startOwnPostgres } from '../support/own-postgres.ts';

const ACCOUNT = '00000000-0000-4000-8000-000000000001';
const PAGE = `{ exchangeAccount(id: "${ACCOUNT}") { status balances { total } } portfolio(accountId: "${ACCOUNT}") { totalPnl } }`;

let server: OwnPostgres;
let startedAt: number;
let graph: TestGraph;

const deposit = (amount: string) =>
  graph.run('mutation ($input: DepositInput!) { deposit(input: $input) { errors { code } } }', {
    input: { accountId: ACCOUNT, asset: 'USD', amount },
  });

beforeAll(async () => {
  server = await startOwnPostgres();
  startedAt = Date.now();
  graph = await startGraph({ databaseUrl: server.databaseUrl });
  await graph.run(
    'mutation ($input: CreateExchangeAccountInput!) { createExchangeAccount(input: $input) { errors { code } } }',
    { input: { accountId: ACCOUNT, clientId: 'northwind' } },
  );
  await graph.run('mutation ($input: DefineAssetInput!) { defineAsset(input: $input) { errors { code } } }', {
    input: { code: 'USD' },
  });
});

afterAll(async () => {
  await graph.close();
  await server.close();
});

describe('a database that is killed', () => {
  it('is a domain that does not answer, and is found again with all that was acknowledged', async () => {
    await sleep(Math.max(0, startedAt + 5_500 - Date.now())); // a server that has been up for a while is started again by its keeper
    expect((await deposit('100')).data.deposit.errors).toEqual([]);
    process.kill(await server.pid(), 'SIGKILL');

    let acknowledged = 100;
    const refusals = new Set<string>();
    let away = 0;
    for (let attempt = 0; attempt < 600 && (away === 0 || refusals.size === 0 || acknowledged === 100); attempt++) {
      const { data, errors } = await graph.run(PAGE);
      for (const error of errors ?? []) expect(error.extensions.code).toBe('DOMAIN_UNAVAILABLE');
      if (errors) away++;
      else expect(data.portfolio).toEqual({ totalPnl: '0' });
      const answer = await deposit('1');
      const codes: string[] = answer.data.deposit.errors.map((error: { code: string }) => error.code);
      if (codes.length === 0) acknowledged++;
      for (const code of codes) refusals.add(code);
      await sleep(50);
    }
    expect(away).toBeGreaterThan(0);
    expect([...refusals]).toEqual(['DOMAIN_UNAVAILABLE']);
    expect(acknowledged).toBeGreaterThan(100);

    const { data } = await graph.run(PAGE);
    // A commit whose acknowledgement was lost with the connection may be there too, and no more than that one.
    const total = Number(data.exchangeAccount.balances[0].total);
    expect(total).toBeGreaterThanOrEqual(acknowledged);
    expect(total).toBeLessThanOrEqual(acknowledged + 1);
    const [ledger] = await graph.sql('exchange', 'select sum(amount)::text as sum from ledger_entries');
    expect(Number(ledger.sum)).toBe(0);
  });
});
