/** Custody accounts, what they hold, and the ledger behind it. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DOMAINS } from '../../../platform/domains.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ask, done, open, refused, send } from '../exchange/floor.ts';
import { audit } from './audit.ts';
import { admit, bring, inside, quote } from './vault.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph({ domains: DOMAINS });
  await quote(graph, { BTC: '50000', ETH: '2500' });
});
afterAll(() => graph.close());

describe('an account', () => {
  it('is opened once, as one master a client and segregated ones below it', async () => {
    const { clientId, master, segregated } = await admit(graph);
    const other = { clientId, kind: 'MASTER' };
    expect(await refused(graph, 'openCustodyAccount', other)).toMatchObject({
      code: 'CONFLICT',
      path: ['input', 'kind'],
    });
    const again = { accountId: segregated, clientId, kind: 'OMNIBUS' };
    expect(await refused(graph, 'openCustodyAccount', again)).toMatchObject({
      code: 'CONFLICT',
      path: ['input', 'accountId'],
    });
    const { custodyAccounts, client } = await ask(
      graph,
      `query ($id: ID!, $master: ID!) {
        custodyAccounts(filter: { clientId: $id, kind: SEGREGATED, parentAccountId: $master, status: ACTIVE }) { nodes { accountId } }
        client: custodyAccount(id: $master) { client { clientId custodyAccounts { accountId } } segregated { accountId parent { accountId } } }
      }`,
      { id: clientId, master },
    );
    expect(custodyAccounts.nodes).toEqual([{ accountId: segregated }]);
    expect(client).toEqual({
      client: { clientId, custodyAccounts: [{ accountId: master }, { accountId: segregated }] },
      segregated: [{ accountId: segregated, parent: { accountId: master } }],
    });
  });

  it.each([
    ['of the custodian', { clientId: 'custodian', kind: 'MASTER' }, 'clientId'],
    ['with a strange id', { accountId: ' a', clientId: 'c', kind: 'OMNIBUS' }, 'accountId'],
    ['segregated from nothing', { clientId: 'c', kind: 'SEGREGATED' }, 'parentAccountId'],
    ['with a parent it needs not', { clientId: 'c', kind: 'OMNIBUS', parentAccountId: 'x' }, 'parentAccountId'],
    ['under no law', { clientId: 'c', kind: 'OMNIBUS', jurisdiction: 'Mars' }, 'jurisdiction'],
  ])('is not opened %s', async (_, input, field) => {
    expect(await refused(graph, 'openCustodyAccount', input)).toMatchObject({
      code: 'VALIDATION_FAILED',
      path: ['input', field],
    });
  });

  it('is frozen, thawed and closed when it is empty, and says so in the audit trail', async () => {
    const { segregated: accountId } = await admit(graph, { USD: '10' });
    const freeze = { accountId, reason: 'a court asks', expectedVersion: 1 };
    await done(graph, 'freezeAccount', freeze);
    expect(await refused(graph, 'freezeAccount', freeze)).toMatchObject({ code: 'CONFLICT', currentVersion: 2 });
    const out = { accountId, asset: 'USD', amount: '10' };
    expect(await refused(graph, 'withdrawCustodyAsset', out)).toMatchObject({
      message: `The account ${accountId} is FROZEN.`,
    });
    await bring(graph, accountId, 'USD', '1');
    await done(graph, 'unfreezeAccount', { accountId });
    expect(await refused(graph, 'closeCustodyAccount', { accountId })).toMatchObject({
      message: 'The account holds 11 USD.',
    });
    await done(graph, 'withdrawCustodyAsset', { ...out, amount: '11' });
    await done(graph, 'closeCustodyAccount', { accountId });
    expect(await refused(graph, 'freezeAccount', { accountId, reason: 'late' })).toMatchObject({
      code: 'INVALID_TRANSITION',
      allowed: [],
    });
    const { custodyAuditTrail } = await ask(
      graph,
      `query ($id: ID!) { custodyAuditTrail(filter: { accountId: $id, subject: ACCOUNT }, sortOrder: ASC) {
        nodes { from to reason traceId } } }`,
      { id: accountId },
    );
    expect(custodyAuditTrail.nodes).toMatchObject([
      { from: null, to: 'ACTIVE', reason: null },
      { from: 'ACTIVE', to: 'FROZEN', reason: 'a court asks' },
      { from: 'FROZEN', to: 'ACTIVE' },
      { from: 'ACTIVE', to: 'CLOSED' },
    ]);
  });

  it('of the custodian takes no commands', async () => {
    const refusal = await refused(graph, 'freezeAccount', { accountId: 'external', reason: 'why not' });
    expect(refusal.message).toContain('the custodian’s own');
  });

  it('stands for the account of its client at the exchange', async () => {
    const { clientId, segregated: accountId } = await admit(graph, { BTC: '2' });
    const venueAccountId = await open(graph, { USD: '5' }, { clientId });
    const stranger = await open(graph);
    expect(await refused(graph, 'linkVenueAccount', { accountId, venueAccountId: stranger })).toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    await done(graph, 'linkVenueAccount', { accountId, venueAccountId });
    expect(await refused(graph, 'linkVenueAccount', { accountId, venueAccountId })).toMatchObject({ code: 'CONFLICT' });
    expect(await refused(graph, 'closeCustodyAccount', { accountId })).toMatchObject({ code: 'VALIDATION_FAILED' });
    const { client, portfolio } = await ask(
      graph,
      `query ($client: ID!, $account: ID!) {
        client(id: $client) {
          accounts { balances { asset { code } total } custodyAccounts { accountId positions { quantity marketValue } } }
          masterBalance { assets { asset { code } total segregated } }
        }
        portfolio(accountId: $account) { custodyHoldings { asset { code } quantity isCash } }
      }`,
      { client: clientId, account: venueAccountId },
    );
    expect(client).toEqual({
      accounts: [
        {
          balances: [{ asset: { code: 'USD' }, total: '5' }],
          custodyAccounts: [{ accountId, positions: [{ quantity: '2', marketValue: '100000' }] }],
        },
      ],
      masterBalance: { assets: [{ asset: { code: 'BTC' }, total: '2', segregated: '2' }] },
    });
    expect(portfolio.custodyHoldings).toEqual([{ asset: { code: 'BTC' }, quantity: '2', isCash: false }]);
    await done(graph, 'unlinkVenueAccount', { venueAccountId });
    expect(await refused(graph, 'unlinkVenueAccount', { venueAccountId })).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('what an account holds', () => {
  it('is locked and released by deltas, never past what is there', async () => {
    const { segregated: accountId } = await admit(graph, { ETH: '10' });
    const lock = { accountId, asset: 'eth', amount: '4', reference: 'loan' };
    await done(graph, 'lockCustodyAsset', lock);
    expect(await inside(graph, accountId)).toEqual({ ETH: '6 + 0 + 4' });
    expect(await refused(graph, 'lockCustodyAsset', { ...lock, amount: '6.00000001' })).toMatchObject({
      code: 'INSUFFICIENT_FUNDS',
      available: '6',
    });
    expect(await refused(graph, 'releaseCustodyAsset', { ...lock, amount: '5' })).toMatchObject({
      code: 'VALIDATION_FAILED',
      message: '4 ETH are held, fewer than 5.',
    });
    await done(graph, 'releaseCustodyAsset', { ...lock, amount: '1.5' });
    expect(await inside(graph, accountId)).toEqual({ ETH: '7.5 + 0 + 2.5' });
  });

  it('is found by its account, its client, its asset and how much it is', async () => {
    const { clientId, segregated } = await admit(graph, { BTC: '3', USD: '70' });
    const { custodyPositions, custodyBalances, of, none, totals, apart } = await ask(
      graph,
      `query ($client: ID!, $account: ID!) {
        custodyPositions(filter: { clientId: $client, minQuantity: "3" }) { totalCount nodes { positionId quantity } }
        custodyBalances(filter: { accountId: $account, asset: "usd", minAvailable: "70", updatedAfter: "2020-01-01T00:00:00Z" }) {
          nodes { balanceId total } }
        of: custodyPositionOf(accountId: $account, asset: "BTC") { quantity }
        none: custodyBalanceOf(accountId: $account, asset: "BTC") { total }
        totals: masterBalance(clientId: $client) { assets { asset { code } total segregated } }
        apart: segregatedBalances(clientId: $client) { accountId balances { total } }
      }`,
      { client: clientId, account: segregated },
    );
    expect(custodyPositions).toMatchObject({ totalCount: 1, nodes: [{ quantity: '3' }] });
    expect(custodyBalances.nodes).toMatchObject([{ total: '70' }]);
    expect(of).toEqual({ quantity: '3' });
    expect(none).toBeNull();
    expect(totals.assets).toEqual([
      { asset: { code: 'BTC' }, total: '3', segregated: '3' },
      { asset: { code: 'USD' }, total: '70', segregated: '70' },
    ]);
    expect(apart).toEqual([{ accountId: segregated, balances: [{ total: '70' }] }]);
    const { position, balance, wrong } = await ask(
      graph,
      `query ($position: ID!, $balance: ID!) {
        position: custodyPosition(id: $position) { quantity } balance: custodyBalance(id: $balance) { total }
        wrong: custodyBalance(id: $position) { total } }`,
      { position: custodyPositions.nodes[0].positionId, balance: custodyBalances.nodes[0].balanceId },
    );
    expect([position, balance, wrong]).toEqual([{ quantity: '3' }, { total: '70' }, null]);
  });

  it('keeps the average of what was paid, while that is known', async () => {
    const { segregated: accountId } = await admit(graph);
    const bought = (amount: string, unitCost?: string) =>
      done(graph, 'depositCustodyAsset', { accountId, asset: 'BTC', amount, unitCost }, 'position { averageCost }');
    expect(await bought('1', '40000')).toEqual({ position: { averageCost: '40000' } });
    expect(await bought('3', '50000')).toEqual({ position: { averageCost: '47500' } });
    expect(await bought('1')).toEqual({ position: { averageCost: null } });
  });

  it('takes what two withdraw at once no more than once, and a repeat not at all', async () => {
    const { segregated: accountId } = await admit(graph, { USD: '100' });
    const out = (idempotencyKey: string) =>
      send(graph, 'withdrawCustodyAsset', { accountId, asset: 'USD', amount: '60', idempotencyKey });
    const answers = await Promise.all(['one', 'two', 'one'].map((key) => out(`${accountId}-${key}`)));
    expect(answers.flatMap(({ errors }) => errors).map(({ code }) => code)).toContain('INSUFFICIENT_FUNDS');
    expect(await inside(graph, accountId)).toEqual({ USD: '40 + 0 + 0' });
  });

  it.each([
    ['an asset that nobody knows', { asset: 'NOPE', amount: '1' }, 'NOT_FOUND'],
    ['nothing', { asset: 'USD', amount: '0' }, 'VALIDATION_FAILED'],
    ['less than nothing', { asset: 'USD', amount: '-1' }, 'VALIDATION_FAILED'],
  ])('does not grow by %s', async (_, input, code) => {
    const { master: accountId } = await admit(graph);
    expect(await refused(graph, 'depositCustodyAsset', { accountId, ...input })).toMatchObject({ code });
  });
});

describe('the ledger', () => {
  it('tells every posting, both sides of it', async () => {
    const { segregated: accountId } = await admit(graph);
    const input = { accountId, asset: 'USD', amount: '12.5', reference: 'wire 7' };
    const { postingId } = await done(graph, 'depositCustodyAsset', input, 'postingId');
    const { custodyLedgerEntries } = await ask(
      graph,
      `query ($id: ID!) { custodyLedgerEntries(filter: { postingId: $id, kind: DEPOSIT, refId: "wire 7" }, sortOrder: ASC) {
        nodes { account { accountId kind } amount bucket refType } } }`,
      { id: postingId },
    );
    expect(custodyLedgerEntries.nodes).toEqual([
      {
        account: { accountId: 'external', kind: 'EXTERNAL' },
        amount: '-12.5',
        bucket: 'AVAILABLE',
        refType: 'EXTERNAL',
      },
      { account: { accountId, kind: 'SEGREGATED' }, amount: '12.5', bucket: 'AVAILABLE', refType: 'EXTERNAL' },
    ]);
  });

  const entry = (more: string) =>
    `insert into ledger_entries (posting_id, account_id, asset, bucket, amount, kind, ref_type, ref_id)
     values ${more}`;
  const rest = `'AVAILABLE', 1, 'ADJUSTMENT', 'EXTERNAL', 'x'`;

  it.each([
    ['one side alone', entry(`(gen_random_uuid(), 'suspense', 'USD', ${rest})`), 'must sum to zero'],
    [
      'more than a holding has',
      entry(`('${crypto.randomUUID()}', 'suspense', 'USD', 'AVAILABLE', -1, 'ADJUSTMENT', 'EXTERNAL', 'x'),
             ('${crypto.randomUUID()}', 'external', 'USD', ${rest})`).replaceAll(
        /'[0-9a-f-]{36}'/g,
        `'${crypto.randomUUID()}'`,
      ),
      'holdings_available_not_negative',
    ],
    ['a change', `update ledger_entries set amount = 2`, 'never changed'],
    ['an end', `delete from ledger_entries`, 'never changed'],
    ['an emptying', `truncate ledger_entries`, 'never changed'],
    ['a change of the audit trail', `update audit_trail set reason = 'none'`, 'never changed'],
  ])('refuses %s, whoever writes it', async (_, statement, reason) => {
    await expect(graph.sql('custodian', statement)).rejects.toThrow(reason);
  });

  it('adds up', async () => {
    expect(await audit(graph)).toEqual({});
  });
});
