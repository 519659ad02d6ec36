/** Accounts, sub-accounts, their states, and the money that goes in and out. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { audit } from './audit.ts';
import {
  ask,
  done,
  EXTERNAL,
  HOUSE,
  holdings,
  list,
  open,
  place,
  refused,
  refusedOrder,
  send,
  UNKNOWN_ID,
} from './floor.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph();
  await list(graph, 'BTC-USD');
});
afterEach(async () => expect(await audit(graph)).toEqual({}));
afterAll(() => graph.close());

const ACCOUNT = 'account { accountId status kycStatus version }';
const accountOf = async (id: string, fields: string) =>
  (await ask(graph, `query A($id: ID!) { account: exchangeAccount(id: $id) { ${fields} } }`, { id })).account;

describe('an account', () => {
  it('is opened active, not identified, with the id that is wanted', async () => {
    const accountId = '00000000-0000-4000-8000-0000000000AA';
    const input = { accountId, clientId: 'ann', metadata: { desk: 'a' } };
    const fields =
      'account { accountId client { clientId } type parent { accountId } subAccountName status kycStatus balances { total } metadata version }';
    expect((await done(graph, 'createExchangeAccount', input, fields)).account).toEqual({
      accountId: accountId.toLowerCase(),
      client: { clientId: 'ann' },
      type: 'SPOT',
      parent: null,
      subAccountName: null,
      status: 'ACTIVE',
      kycStatus: 'PENDING',
      balances: [],
      metadata: { desk: 'a' },
      version: 1,
    });
  });

  it('is one of its type and client', async () => {
    await done(graph, 'createExchangeAccount', { clientId: 'bob' });
    await done(graph, 'createExchangeAccount', { clientId: 'bob', type: 'MARGIN' });
    expect(await refused(graph, 'createExchangeAccount', { clientId: 'bob', type: 'SPOT' })).toMatchObject({
      __typename: 'Conflict',
      message: 'The client has an account of that type and name already.',
      path: ['input', 'clientId'],
    });
    const { client } = await ask(graph, `{ client(id: "bob") { clientId accounts { type } } }`);
    expect(client).toEqual({ clientId: 'bob', accounts: [{ type: 'SPOT' }, { type: 'MARGIN' }] });
  });

  it('has an id of its own', async () => {
    const accountId = await open(graph);
    expect(await refused(graph, 'createExchangeAccount', { clientId: 'eve', accountId })).toMatchObject({
      __typename: 'Conflict',
      path: ['input', 'accountId'],
    });
  });

  it.each([
    ['an empty client id', { clientId: '' }, 'clientId'],
    ['a client id of 256 characters', { clientId: 'x'.repeat(256) }, 'clientId'],
    ['a client id with NUL', { clientId: 'a\0b' }, 'clientId'],
    ['the exchange’s own client id', { clientId: 'exchange' }, 'clientId'],
    ['an id that is no UUID', { clientId: 'zoe', accountId: 'zoe' }, 'accountId'],
    ['the type HOUSE', { clientId: 'zoe', type: 'HOUSE' }, 'type'],
    ['the type EXTERNAL', { clientId: 'zoe', type: 'EXTERNAL' }, 'type'],
    ['metadata with NUL', { clientId: 'zoe', metadata: { a: '\0' } }, 'metadata'],
  ])('is refused with %s', async (_, input, field) => {
    expect(await refused(graph, 'createExchangeAccount', input)).toMatchObject({
      __typename: 'ValidationFailed',
      path: ['input', field],
    });
  });

  it('keeps free facts, replaced under its version', async () => {
    const accountId = await open(graph);
    await done(graph, 'updateAccountProfile', { accountId, metadata: { a: 1 }, expectedVersion: 1 });
    expect(await refused(graph, 'updateAccountProfile', { accountId, metadata: {}, expectedVersion: 1 })).toMatchObject(
      {
        __typename: 'Conflict',
        currentVersion: 2,
      },
    );
    expect(await accountOf(accountId, 'metadata version')).toEqual({ metadata: { a: 1 }, version: 2 });
  });
});

describe('a sub-account', () => {
  it('has its parent’s client, type and KYC status, and money of its own', async () => {
    const parentAccountId = await open(graph, { USD: '100' }, { type: 'FUTURES' });
    await done(graph, 'setKycStatus', { accountId: parentAccountId, status: 'APPROVED' });
    const { account } = await done(
      graph,
      'createSubAccount',
      { parentAccountId, name: 'alpha' },
      'account { accountId }',
    );
    await done(graph, 'createSubAccount', { parentAccountId, name: 'Beta' });
    const fields =
      'type subAccountName kycStatus parent { accountId subAccounts { subAccountName } } balances { total }';
    expect(await accountOf(account.accountId, fields)).toEqual({
      type: 'FUTURES',
      subAccountName: 'alpha',
      kycStatus: 'APPROVED',
      parent: { accountId: parentAccountId, subAccounts: [{ subAccountName: 'Beta' }, { subAccountName: 'alpha' }] },
      balances: [],
    });
  });

  it('is refused twice under a name, under itself, under a closed master, and without a name', async () => {
    const parentAccountId = await open(graph);
    const { account } = await done(
      graph,
      'createSubAccount',
      { parentAccountId, name: 'one' },
      'account { accountId }',
    );
    const refusal = (input: object) => refused(graph, 'createSubAccount', { parentAccountId, name: 'two', ...input });
    expect(await refusal({ name: 'one' })).toMatchObject({ __typename: 'Conflict', path: ['input', 'name'] });
    expect(await refusal({ parentAccountId: account.accountId })).toMatchObject({
      message: 'A sub-account has no sub-accounts.',
    });
    expect(await refusal({ name: '' })).toMatchObject({ path: ['input', 'name'] });
    expect(await refusal({ parentAccountId: UNKNOWN_ID })).toMatchObject({
      __typename: 'NotFound',
      path: ['input', 'parentAccountId'],
    });
    await done(graph, 'suspendAccount', { accountId: parentAccountId });
    expect(await refusal({})).toMatchObject({ message: 'The master account is SUSPENDED; it must be ACTIVE.' });
  });

  it('is one of a hundred at most, also when many are opened at once', async () => {
    const parentAccountId = await open(graph);
    await graph.sql(
      'exchange',
      `insert into accounts (user_id, account_type, parent_account_id, sub_account_name)
       select user_id, account_type, account_id, 'sub-' || n from accounts, generate_series(1, 97) as n where account_id = $1`,
      [parentAccountId],
    );
    const answers = await Promise.all(
      [1, 2, 3, 4, 5].map((n) => send(graph, 'createSubAccount', { parentAccountId, name: `late-${n}` })),
    );
    expect(answers.filter(({ errors }) => errors.length === 0)).toHaveLength(3);
    expect(answers.flatMap(({ errors }) => errors)[0]).toMatchObject({
      message: 'The master account has 100 sub-accounts, as many as it can.',
    });
    expect((await accountOf(parentAccountId, 'subAccounts { accountId }')).subAccounts).toHaveLength(100);
  });
});

describe('the states of an account', () => {
  it('lead from active to suspended and back', async () => {
    const accountId = await open(graph, { USD: '100' });
    expect((await done(graph, 'suspendAccount', { accountId }, ACCOUNT)).account).toMatchObject({
      status: 'SUSPENDED',
      version: 2,
    });
    expect(await refused(graph, 'suspendAccount', { accountId })).toMatchObject({
      __typename: 'InvalidTransition',
      from: 'SUSPENDED',
      to: 'SUSPENDED',
      allowed: ['ACTIVE', 'CLOSED'],
    });
    expect((await done(graph, 'reactivateAccount', { accountId }, ACCOUNT)).account.status).toBe('ACTIVE');
  });

  it('keep a suspended account from ordering and withdrawing, not from depositing', async () => {
    const accountId = await open(graph, { USD: '100' });
    await done(graph, 'suspendAccount', { accountId });
    expect(await refusedOrder(graph, accountId, 'buy 1 @ 10')).toMatchObject({
      message: 'The account is SUSPENDED; only an ACTIVE one places orders.',
    });
    expect(await refused(graph, 'withdraw', { accountId, asset: 'USD', amount: '1' })).toMatchObject({
      message: 'The account is SUSPENDED; only an ACTIVE one withdraws.',
    });
    await done(graph, 'deposit', { accountId, asset: 'USD', amount: '1' });
    expect(await holdings(graph, accountId)).toEqual({ USD: '101 + 0' });
  });

  it('close an account that holds nothing, for good', async () => {
    const accountId = await open(graph, { USD: '100' });
    expect(await refused(graph, 'closeAccount', { accountId })).toMatchObject({
      message: 'The account holds 100 USD. Withdraw it first.',
    });
    await done(graph, 'withdraw', { accountId, asset: 'USD', amount: '100' });
    expect((await done(graph, 'closeAccount', { accountId }, ACCOUNT)).account.status).toBe('CLOSED');
    expect(await refused(graph, 'deposit', { accountId, asset: 'USD', amount: '1' })).toMatchObject({
      message: 'The account is CLOSED.',
    });
    expect(await refused(graph, 'reactivateAccount', { accountId })).toMatchObject({ from: 'CLOSED', allowed: [] });
    expect(await refused(graph, 'setKycStatus', { accountId, status: 'APPROVED' })).toMatchObject({ from: 'CLOSED' });
  });

  it('keep open an account with a live order or an open sub-account', async () => {
    const accountId = await open(graph, { USD: '10.01' });
    const { orderId } = await place(graph, accountId, 'buy 1 @ 10');
    expect(await refused(graph, 'closeAccount', { accountId })).toMatchObject({
      message: 'The account has live orders. Cancel them first.',
    });
    await done(graph, 'cancelExchangeOrder', { orderId });
    await done(graph, 'withdraw', { accountId, asset: 'USD', amount: '10.01' });
    const { account } = await done(
      graph,
      'createSubAccount',
      { parentAccountId: accountId, name: 's' },
      'account { accountId }',
    );
    expect(await refused(graph, 'closeAccount', { accountId })).toMatchObject({
      message: 'The sub-account "s" is not closed.',
    });
    await done(graph, 'closeAccount', { accountId: account.accountId });
    await done(graph, 'closeAccount', { accountId });
  });

  it('follow the identification: a revoked approval suspends', async () => {
    const accountId = await open(graph);
    const kyc = async (status: string) => (await done(graph, 'setKycStatus', { accountId, status }, ACCOUNT)).account;
    expect(await kyc('REJECTED')).toMatchObject({ kycStatus: 'REJECTED', status: 'ACTIVE' });
    expect(await kyc('PENDING')).toMatchObject({ kycStatus: 'PENDING' });
    expect(await kyc('APPROVED')).toMatchObject({ kycStatus: 'APPROVED', status: 'ACTIVE' });
    expect(await refused(graph, 'setKycStatus', { accountId, status: 'PENDING' })).toMatchObject({
      from: 'APPROVED',
      to: 'PENDING',
      allowed: ['REJECTED'],
    });
    expect(await kyc('REJECTED')).toMatchObject({ kycStatus: 'REJECTED', status: 'SUSPENDED' });
  });

  it.each(['suspendAccount', 'reactivateAccount', 'closeAccount'])(
    '%s needs an account that is there',
    async (name) => {
      for (const accountId of [UNKNOWN_ID, 'none']) {
        expect(await refused(graph, name, { accountId })).toMatchObject({ __typename: 'NotFound', id: accountId });
      }
      for (const accountId of [HOUSE, EXTERNAL]) {
        expect(await refused(graph, name, { accountId })).toMatchObject({ code: 'VALIDATION_FAILED' });
      }
    },
  );
});

describe('deposits and withdrawals', () => {
  const TRANSFER = 'postingId balance { available locked total asset { code } }';

  it('move a balance and stand in the ledger on both sides', async () => {
    const accountId = await open(graph);
    const paid = await done(
      graph,
      'deposit',
      { accountId, asset: 'usd', amount: '12.34567891', reference: 'wire 7' },
      TRANSFER,
    );
    expect(paid.balance).toEqual({
      available: '12.34567891',
      locked: '0',
      total: '12.34567891',
      asset: { code: 'USD' },
    });
    const taken = await done(graph, 'withdraw', { accountId, asset: 'USD', amount: '2.34567891' }, TRANSFER);
    expect(taken.balance).toMatchObject({ available: '10', total: '10' });
    const entries = await graph.sql(
      'exchange',
      `select account_id, asset, bucket, amount, kind, ref_type, ref_id from ledger_entries
        where posting_id = any($1) order by entry_id`,
      [[paid.postingId, taken.postingId]],
    );
    const usd = { asset: 'USD', bucket: 'AVAILABLE', ref_type: 'EXTERNAL' };
    expect(entries).toEqual([
      { account_id: accountId, amount: '12.34567891', kind: 'DEPOSIT', ref_id: 'wire 7', ...usd },
      { account_id: EXTERNAL, amount: '-12.34567891', kind: 'DEPOSIT', ref_id: 'wire 7', ...usd },
      { account_id: accountId, amount: '-2.34567891', kind: 'WITHDRAWAL', ref_id: taken.postingId, ...usd },
      { account_id: EXTERNAL, amount: '2.34567891', kind: 'WITHDRAWAL', ref_id: taken.postingId, ...usd },
    ]);
  });

  it('pay out what is available, not what is locked', async () => {
    const accountId = await open(graph, { USD: '100' });
    await place(graph, accountId, 'buy 5 @ 10');
    expect(await refused(graph, 'withdraw', { accountId, asset: 'USD', amount: '50' })).toMatchObject({
      __typename: 'InsufficientFunds',
      asset: 'USD',
      available: '49.95',
      required: '50',
    });
    await done(graph, 'withdraw', { accountId, asset: 'USD', amount: '49.95' });
  });

  it('pay out nothing of an asset that was never held', async () => {
    const accountId = await open(graph);
    expect(await refused(graph, 'withdraw', { accountId, asset: 'ETH', amount: '1' })).toMatchObject({
      available: '0',
      required: '1',
    });
    expect(await holdings(graph, accountId)).toEqual({});
  });

  it('take no asset that market data does not know', async () => {
    const accountId = await open(graph);
    expect(await refused(graph, 'deposit', { accountId, asset: 'TYPOCOIN', amount: '1' })).toMatchObject({
      code: 'NOT_FOUND',
      entity: 'Asset',
      id: 'TYPOCOIN',
      path: ['input', 'asset'],
    });
    expect(await holdings(graph, accountId)).toEqual({});
  });

  it('hold more than one amount can name', async () => {
    const accountId = await open(graph);
    const amount = '9999999999999999.99999999';
    await done(graph, 'defineAsset', { code: 'SHIB' });
    for (let i = 0; i < 2; i++) await done(graph, 'deposit', { accountId, asset: 'SHIB', amount });
    expect(await holdings(graph, accountId)).toEqual({ SHIB: '19999999999999999.99999998 + 0' });
  });

  it.each([
    ['a zero amount', { amount: '0' }, 'amount', 'amount must be above zero, but got 0.'],
    ['a negative amount', { amount: '-5' }, 'amount', 'amount must be above zero, but got -5.'],
    ['an asset that is none', { asset: 'US$' }, 'asset', '"US$" is not an asset code. Write for example BTC.'],
    ['an empty asset', { asset: '' }, 'asset', '"" is not an asset code. Write for example BTC.'],
    ['an empty reference', { reference: '' }, 'reference', 'reference must have 1 to 255 characters, but got 0.'],
  ])('are refused with %s', async (_, changes, field, message) => {
    const accountId = await open(graph);
    for (const name of ['deposit', 'withdraw']) {
      const input = { accountId, asset: 'USD', amount: '1', ...changes };
      expect(await refused(graph, name, input)).toMatchObject({
        code: 'VALIDATION_FAILED',
        path: ['input', field],
        message,
      });
    }
  });

  it('need an account that is there, and a client’s', async () => {
    const input = { asset: 'USD', amount: '1' };
    expect(await refused(graph, 'deposit', { ...input, accountId: UNKNOWN_ID })).toMatchObject({
      __typename: 'NotFound',
      entity: 'ExchangeAccount',
      id: UNKNOWN_ID,
      path: ['input', 'accountId'],
    });
    expect(await refused(graph, 'withdraw', { ...input, accountId: HOUSE })).toMatchObject({
      message: 'This account is the exchange’s own; it takes no commands.',
    });
  });
});

describe('an adjustment of a balance', () => {
  const FIELDS = 'postingId balance { available locked version }';

  it('sets what is available, against the world outside', async () => {
    const accountId = await open(graph, { USD: '100' });
    const input = { accountId, asset: 'usd', available: '99.5', reason: 'fee of the bank' };
    const down = await done(graph, 'adjustBalance', input, FIELDS);
    expect(down.balance).toMatchObject({ available: '99.5', locked: '0' });
    const entries = await ask(
      graph,
      `query E($id: ID!, $posting: ID!) {
        ledgerEntries(accountId: $id, filter: { postingId: $posting, kind: ADJUSTMENT }) {
          nodes { amount bucket refType refId }
        }
      }`,
      { id: accountId, posting: down.postingId },
    );
    expect(entries.ledgerEntries.nodes).toEqual([
      { amount: '-0.5', bucket: 'AVAILABLE', refType: 'EXTERNAL', refId: 'fee of the bank' },
    ]);
    const again = await done(graph, 'adjustBalance', input, FIELDS);
    expect(again).toMatchObject({ postingId: null, balance: { available: '99.5' } });
  });

  it('makes a balance that was never held, in an asset that is known', async () => {
    const accountId = await open(graph);
    const input = { accountId, asset: 'BTC', available: '0.00000001', reason: 'found' };
    expect(await refused(graph, 'adjustBalance', { ...input, expectedVersion: 1 })).toMatchObject({
      __typename: 'Conflict',
      currentVersion: null,
    });
    await done(graph, 'adjustBalance', input);
    expect(await holdings(graph, accountId)).toEqual({ BTC: '0.00000001 + 0' });
    expect(await refused(graph, 'adjustBalance', { ...input, asset: 'TYPOCOIN' })).toMatchObject({ entity: 'Asset' });
  });

  it('leaves locked what live orders reserve', async () => {
    const accountId = await open(graph, { USD: '100' });
    await place(graph, accountId, 'buy 5 @ 10');
    const input = { accountId, asset: 'USD', available: '7', reason: 'audit' };
    expect(await refused(graph, 'adjustBalance', { ...input, locked: '50' })).toMatchObject({
      message: 'The live orders of the account reserve 50.05 USD; that much must be locked, but got 50.',
      path: ['input', 'locked'],
    });
    await done(graph, 'adjustBalance', input);
    expect(await holdings(graph, accountId)).toMatchObject({ USD: '7 + 50.05' });
    await done(graph, 'adjustBalance', { ...input, available: '8', locked: '50.05' });
    expect(await holdings(graph, accountId)).toMatchObject({ USD: '8 + 50.05' });
  });

  it('is made by who has seen the balance as it is, and by one of two at once', async () => {
    const accountId = await open(graph, { USD: '100' });
    const read = async () =>
      (await accountOf(accountId, 'balances { version available }')).balances[0] as Record<string, unknown>;
    const { version } = await read();
    const answers = await Promise.all(
      ['1', '2', '3'].map((available) =>
        send(graph, 'adjustBalance', { accountId, asset: 'USD', available, reason: 'race', expectedVersion: version }),
      ),
    );
    expect(answers.filter(({ errors }) => errors.length === 0)).toHaveLength(1);
    expect(answers.flatMap(({ errors }) => errors)).toMatchObject([
      { __typename: 'Conflict', currentVersion: (await read()).version },
      { __typename: 'Conflict' },
    ]);
  });

  it.each([
    ['a negative amount', { available: '-1' }, 'available'],
    ['a negative lock', { locked: '-1' }, 'locked'],
    ['no reason', { reason: '' }, 'reason'],
    ['an asset that is none', { asset: 'US$' }, 'asset'],
    ['the exchange’s own account', { accountId: HOUSE }, 'accountId'],
    ['an unknown account', { accountId: UNKNOWN_ID }, 'accountId'],
  ])('is refused with %s', async (_, input, field) => {
    const accountId = await open(graph, { USD: '1' });
    const all = { accountId, asset: 'USD', available: '1', reason: 'x', ...input };
    expect(await refused(graph, 'adjustBalance', all)).toMatchObject({ path: ['input', field] });
  });

  it('is refused for a closed account', async () => {
    const accountId = await open(graph);
    await done(graph, 'closeAccount', { accountId });
    const input = { accountId, asset: 'USD', available: '1', reason: 'x' };
    expect(await refused(graph, 'adjustBalance', input)).toMatchObject({ message: 'The account is CLOSED.' });
  });
});
