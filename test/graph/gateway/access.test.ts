/** Fields that are not for everybody, over every way to the graph. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createClient } from 'graphql-ws';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { createAccess } from '../../../platform/access.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';

const SECRET = 'a secret for tests, of more than 32 bytes';
const STATS = '{ cacheStats { domain } }';

interface Claims {
  roles?: unknown;
  expires?: string;
  issuer?: string;
}

const signer = ({ roles, expires = '1h', issuer = 'desk' }: Claims) =>
  new SignJWT({ roles }).setProtectedHeader({ alg: 'HS256' }).setIssuer(issuer).setExpirationTime(expires);
const signed = (claims: Claims, secret = SECRET) => signer(claims).sign(new TextEncoder().encode(secret));
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe.each([
  ['in process', false],
  ['spread out', true],
])('a field for administrators, %s', (_, spreadOut) => {
  let graph: TestGraph;
  beforeAll(async () => {
    graph = await startGraph({ spreadOut, access: createAccess({ secret: SECRET, issuer: 'desk' }) });
  });
  afterAll(() => graph.close());

  const answer = async (headers: Record<string, string>, query = STATS) => {
    const { data, errors = [] } = await graph.run(query, {}, headers);
    return { data, code: errors[0]?.extensions.code, message: errors[0]?.message };
  };

  it('answers one', async () => {
    const { data, code } = await answer(bearer(await signed({ roles: ['tester', 'administrator'] })));
    expect(code).toBeUndefined();
    expect(data.cacheStats.map(({ domain }: { domain: string }) => domain)).toContain('trading');
  });

  it('tells anybody else what is missing, and leaves the rest of the page', async () => {
    expect(await answer({}, '{ cacheStats { domain } registryHealth { domain } }')).toEqual({
      data: { cacheStats: null, registryHealth: { domain: 'registry' } },
      code: 'UNAUTHENTICATED',
      message: 'Query.cacheStats is for callers whose token has the role administrator.',
    });
    for (const roles of [undefined, [], ['auditor'], 'administrator', ['Administrator']]) {
      const { data, code } = await answer(bearer(await signed({ roles })));
      expect({ data, code }).toEqual({ data: { cacheStats: null }, code: 'FORBIDDEN' });
    }
  });

  it.each([
    ['has expired', () => signed({ roles: ['administrator'], expires: '-1h' })],
    ['was signed by somebody else', () => signed({ roles: ['administrator'] }, `${SECRET}?`)],
    ['was issued by somebody else', () => signed({ roles: ['administrator'], issuer: 'me' })],
    [
      'never expires',
      () =>
        new SignJWT({ roles: ['administrator'] })
          .setProtectedHeader({ alg: 'HS256' })
          .setIssuer('desk')
          .sign(new TextEncoder().encode(SECRET)),
    ],
    [
      'is not signed',
      async () => new UnsecuredJWT({ roles: ['administrator'] }).setIssuer('desk').setExpirationTime('1h').encode(),
    ],
    ['is none', async () => 'administrator'],
  ])('trusts no token that %s', async (_title, token) => {
    expect(await answer(bearer(await token()))).toMatchObject({ data: { cacheStats: null }, code: 'UNAUTHENTICATED' });
  });

  it('refuses a command before anything is done', async () => {
    const command = `mutation { setConfig(input: { key: "a.limit", type: INTEGER, value: "1" }) { config { key } } }`;
    const { errors = [] } = await graph.run(command);
    expect(errors.map(({ extensions }) => extensions.code)).toEqual(['UNAUTHENTICATED']);
    expect(await graph.sql('registry', `select * from config_entries where key = 'a.limit'`)).toEqual([]);
  });

  it('takes the token of a socket from its first message, as browsers send it', async () => {
    const server: Server = createServer(graph.gateway.handler);
    graph.gateway.attachWebSocket(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
    const connectionParams = bearer(await signed({ roles: ['administrator'] }));
    const client = createClient({ url, webSocketImpl: WebSocket, connectionParams });
    const { value } = await client.iterate({ query: STATS }).next();
    expect(value.errors).toBeUndefined();
    await client.dispose();
    server.close();
  });
});

describe('keys that an issuer publishes', () => {
  it('are used to check its tokens', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const published = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'first', alg: 'ES256' }] });
    const issuer = createServer((_, response) => response.setHeader('content-type', 'application/json').end(published));
    await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
    const { rolesOf } = createAccess({ keysUrl: `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/keys` });
    const tokenOf = (kid: string) =>
      new SignJWT({ roles: ['auditor'] })
        .setProtectedHeader({ alg: 'ES256', kid })
        .setExpirationTime('1h')
        .sign(privateKey);
    expect(await rolesOf(`Bearer ${await tokenOf('first')}`)).toEqual(new Set(['auditor']));
    await expect(rolesOf(`Bearer ${await tokenOf('other')}`)).rejects.toThrow('not trusted');
    await expect(rolesOf(`Bearer ${await signed({ roles: ['auditor'] })}`)).rejects.toThrow('not trusted');
    issuer.close();
  });
});

describe('a graph without a secret', () => {
  it('is open to everybody, whatever is sent along', async () => {
    const { rolesOf } = createAccess({});
    expect(await rolesOf(undefined)).toContain('administrator');
    expect(await rolesOf('Basic abc')).toContain('administrator');
  });
});
