/** The graph as separate processes, started by the commands of the README and of docker-compose.yml. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { DOMAINS, type Domain, environmentPrefix } from '../../platform/domains.ts';
import { domainUrl } from '../../prisma/roles.ts';
import { copyTemplate } from '../support/databases.ts';
import { freePort, type RunningProcess, startProcess, untilReady } from '../support/processes.ts';

const ACCOUNT = '00000000-0000-4000-8000-000000000001';

let databaseUrl: string;
let drop: () => Promise<void>;
let graphUrl: string;
let gateway: RunningProcess;
const ports = new Map<Domain, number>();
const subgraphs = new Map<Domain, RunningProcess>();

async function startSubgraph(domain: Domain): Promise<void> {
  const port = ports.get(domain) as number;
  const running = startProcess(['subgraphs/main.ts', domain], {
    PORT: String(port),
    GATEWAY_URL: graphUrl,
    // The domain's own role: a subgraph need not know the administrator.
    [`${environmentPrefix(domain)}_DATABASE_URL`]: domainUrl(databaseUrl, domain, {}),
  });
  subgraphs.set(domain, running);
  await untilReady(`http://127.0.0.1:${port}/ready`, running);
}

async function run(query: string, variables: object = {}) {
  const response = await fetch(graphUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its query asked for
  return { status: response.status, ...((await response.json()) as { data: any; errors?: any[] }) };
}

beforeAll(async () => {
  ({ url: databaseUrl, drop } = await copyTemplate(inject('adminUrl')));
  const migrated = startProcess(['prisma/main.ts'], { DATABASE_URL: databaseUrl });
  expect(await new Promise((resolve) => migrated.child.on('exit', resolve))).toBe(0);

  const gatewayPort = await freePort();
  graphUrl = `http://127.0.0.1:${gatewayPort}/graphql`;
  for (const domain of DOMAINS) ports.set(domain, await freePort());
  const urls = DOMAINS.map((domain) => [
    `${environmentPrefix(domain)}_URL`,
    `http://127.0.0.1:${ports.get(domain)}/graphql`,
  ]);
  // The gateway comes first: it knows the contracts and needs no subgraph to begin.
  gateway = startProcess(['gateway/main.ts', '--remote'], { PORT: String(gatewayPort), ...Object.fromEntries(urls) });
  await untilReady(`http://127.0.0.1:${gatewayPort}/health`, gateway);
  await Promise.all(DOMAINS.map(startSubgraph));
});

afterAll(async () => {
  await Promise.all([gateway, ...subgraphs.values()].map((running) => running?.stop('SIGKILL')));
  await drop();
});

describe('the graph spread over processes', () => {
  it('says when it is ready', async () => {
    const response = await fetch(graphUrl.replace('/graphql', '/ready'));
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      subgraphs: { 'market-data': true, exchange: true, trading: true, custodian: true, risk: true, registry: true },
    });
  });

  it('runs commands that need facts of another domain', async () => {
    await run('mutation ($input: CreateInstrumentInput!) { createInstrument(input: $input) { errors { message } } }', {
      input: { symbol: 'BTC-USD' },
    });
    await run(
      'mutation ($input: CreateExchangeAccountInput!) { createExchangeAccount(input: $input) { errors { message } } }',
      { input: { accountId: ACCOUNT, clientId: 'northwind' } },
    );
    const { data } = await run(
      'mutation ($input: CreateStrategyInput!) { createStrategy(input: $input) { strategy { strategyId } errors { code message } } }',
      { input: { strategyId: 's1', name: 'One', type: 'CUSTOM', accountId: ACCOUNT, symbols: ['BTC/USD'] } },
    );
    expect(data.createStrategy).toEqual({ strategy: { strategyId: 's1' }, errors: [] });
    const refused = await run(
      'mutation ($input: CreateStrategyInput!) { createStrategy(input: $input) { errors { code message } } }',
      { input: { name: 'Two', type: 'CUSTOM', accountId: ACCOUNT, symbols: ['ETH-USD'] } },
    );
    expect(refused.data.createStrategy.errors).toMatchObject([{ code: 'NOT_FOUND' }]);
  });

  it('answers without the subgraph that is down, refuses commands that need it, and finds it again', async () => {
    const page = `{
      strategy(id: "s1") { name instruments { symbol isActive } }
      instrument(symbol: "BTC-USD") { isActive }
    }`;
    const whole = { name: 'One', instruments: [{ symbol: 'BTC-USD', isActive: true }] };
    expect((await run(page)).data).toEqual({ strategy: whole, instrument: { isActive: true } });

    await subgraphs.get('market-data')?.stop('SIGKILL');
    const { status, data, errors } = await run(page);
    expect(status).toBe(200);
    expect(data).toEqual({ strategy: { name: 'One', instruments: null }, instrument: null });
    expect(errors?.length).toBeGreaterThan(0);
    for (const error of errors ?? []) {
      expect(error.extensions).toMatchObject({ code: 'DOMAIN_UNAVAILABLE', domain: 'market-data' });
    }
    expect((await fetch(graphUrl.replace('/graphql', '/ready'))).status).toBe(503);
    const command = await run(
      'mutation ($input: CreateStrategyInput!) { createStrategy(input: $input) { errors { code message } } }',
      { input: { name: 'Three', type: 'CUSTOM', accountId: ACCOUNT, symbols: ['BTC-USD'] } },
    );
    expect(command.data.createStrategy.errors).toMatchObject([{ code: 'DOMAIN_UNAVAILABLE' }]);

    await startSubgraph('market-data');
    expect((await run(page)).data).toEqual({ strategy: whole, instrument: { isActive: true } });
  });

  it('ends on SIGTERM, each process by itself and with status 0', async () => {
    expect(await gateway.stop()).toBe(0);
    for (const running of subgraphs.values()) expect(await running.stop()).toBe(0);
  });
});

describe('docker-compose.yml', () => {
  const compose = readFileSync('docker-compose.yml', 'utf8');

  it.each([...DOMAINS])('starts %s with its own command, role, Redis user and port', (domain) => {
    expect(compose).toContain(`["node", "subgraphs/main.ts", "${domain}"]`);
    expect(compose).toContain(`${environmentPrefix(domain)}_DATABASE_URL: *${domain}-url`);
    expect(compose).toContain(`${environmentPrefix(domain)}_REDIS_URL: *${domain}-redis`);
    expect(compose).toMatch(new RegExp(`${environmentPrefix(domain)}_URL: http://${domain}:400\\d/graphql`));
  });
});
