/** The demo's exchange accounts and what they were funded with. The README names them. */
import type { GraphClient } from '../../platform/graph-client.ts';
import { mutate } from './mutate.ts';

/** A fund; the account of the README's queries. */
export const FUND = '00000000-0000-4000-8000-000000000001';
/** A market maker, whose orders fill the book. */
export const MARKET_MAKER = '00000000-0000-4000-8000-000000000002';
/** A treasury that holds money and trades nothing. */
export const TREASURY = '00000000-0000-4000-8000-000000000003';

export const ACCOUNTS = [
  { accountId: FUND, clientId: 'northwind', deposits: [{ asset: 'USD', amount: '250000' }] },
  {
    accountId: MARKET_MAKER,
    clientId: 'harbour',
    deposits: [
      { asset: 'USD', amount: '1000000' },
      { asset: 'BTC', amount: '50' },
      { asset: 'ETH', amount: '1000' },
    ],
  },
  {
    accountId: TREASURY,
    clientId: 'southgate',
    deposits: [
      { asset: 'USD', amount: '75000' },
      { asset: 'USDT', amount: '120000.5' },
    ],
  },
];

export async function loadAccounts(graph: GraphClient): Promise<void> {
  for (const { accountId, clientId, deposits } of ACCOUNTS) {
    await mutate(
      graph,
      { name: 'createExchangeAccount', inputType: 'CreateExchangeAccountInput' },
      { accountId, clientId },
    );
    await approve(graph, accountId);
    for (const { asset, amount } of deposits) await fund(graph, accountId, asset, amount);
  }
}

async function approve(graph: GraphClient, accountId: string): Promise<void> {
  const { exchangeAccount } = await graph.request<{ exchangeAccount: { kycStatus: string } | null }>(
    'query ($id: ID!) { exchangeAccount(id: $id) { kycStatus } }',
    { id: accountId },
  );
  if (exchangeAccount?.kycStatus !== 'PENDING') return;
  await mutate(graph, { name: 'setKycStatus', inputType: 'SetKycStatusInput' }, { accountId, status: 'APPROVED' });
}

/** Deposits once: an account that has ever held the asset was funded. */
async function fund(graph: GraphClient, accountId: string, asset: string, amount: string): Promise<void> {
  const { exchangeBalanceOf } = await graph.request<{ exchangeBalanceOf: object | null }>(
    'query ($id: ID!, $asset: String!) { exchangeBalanceOf(accountId: $id, asset: $asset) { total } }',
    { id: accountId, asset },
  );
  if (exchangeBalanceOf) return;
  const input = { accountId, asset, amount, idempotencyKey: `demo-deposit-${accountId}-${asset}` };
  await mutate(graph, { name: 'deposit', inputType: 'DepositInput' }, input);
}
