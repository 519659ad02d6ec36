/** What the demo's clients keep with the custodian: what they have at the exchange, and a transfer that waits for approval. */
import type { GraphClient } from '../../platform/graph-client.ts';
import { ACCOUNTS } from './accounts.ts';
import { mutate } from './mutate.ts';

/** Before anything was traded: all of the demo's trades are settled. */
const BEGINNING = '2020-01-01T00:00:00Z';

const TREASURY = 'southgate';

export async function loadCustody(graph: GraphClient): Promise<void> {
  for (const { accountId: venueAccountId, clientId, deposits } of ACCOUNTS) {
    const master = `${clientId}-master`;
    const accountId = `${clientId}-trading`;
    await open(graph, { accountId: master, clientId, kind: 'MASTER', name: 'Master account' });
    const below = { clientId, kind: 'SEGREGATED', parentAccountId: master };
    await open(graph, { accountId, ...below, name: 'Stands for the account at the exchange' });
    for (const { asset, amount } of deposits) await bring(graph, accountId, asset, amount);
    const link = { accountId, venueAccountId, settlesFrom: BEGINNING };
    await mutate(graph, { name: 'linkVenueAccount', inputType: 'LinkVenueAccountInput' }, link);
    if (clientId === TREASURY) await moveSome(graph, accountId, `${clientId}-vault`, below);
  }
}

function open(graph: GraphClient, input: object): Promise<unknown> {
  return mutate(graph, { name: 'openCustodyAccount', inputType: 'OpenCustodyAccountInput' }, input);
}

/** Deposits once: an account that has ever held the asset was given it. */
async function bring(graph: GraphClient, accountId: string, asset: string, amount: string): Promise<void> {
  const { position, balance } = await graph.request<{ position: object | null; balance: object | null }>(
    `query ($id: ID!, $asset: String!) {
      position: custodyPositionOf(accountId: $id, asset: $asset) { quantity }
      balance: custodyBalanceOf(accountId: $id, asset: $asset) { total } }`,
    { id: accountId, asset },
  );
  if (position || balance) return;
  const input = { accountId, asset, amount, idempotencyKey: `demo-custody-${accountId}-${asset}` };
  await mutate(graph, { name: 'depositCustodyAsset', inputType: 'DepositCustodyAssetInput' }, input);
}

/** A transfer that needs two approvals, of which it has one. */
async function moveSome(graph: GraphClient, from: string, to: string, below: object): Promise<void> {
  await open(graph, { accountId: to, ...below, name: 'Kept apart' });
  const { transfers } = await graph.request<{ transfers: { nodes: object[] } | null }>(
    'query ($id: ID!) { transfers(filter: { accountId: $id }, first: 1) { nodes { transferId } } }',
    { id: to },
  );
  if (transfers?.nodes.length !== 0) return;
  const ends = { fromAccountId: from, toAccountId: to, asset: 'USD', amount: '15000' };
  const { transfer } = await mutate<{ transfer: { transferId: string } | null }>(
    graph,
    { name: 'requestTransfer', inputType: 'RequestTransferInput', fields: 'transfer { transferId }' },
    { ...ends, requestedBy: 'dana', memo: 'For the reserve', idempotencyKey: 'demo-transfer' },
  );
  if (!transfer) throw new Error('The demo’s transfer was not requested');
  const vote = { transferId: transfer.transferId, approverId: 'erik', idempotencyKey: 'demo-transfer-approval' };
  await mutate(graph, { name: 'approveTransfer', inputType: 'ApproveTransferInput' }, vote);
}
