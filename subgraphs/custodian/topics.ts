/** What of the custodian can be followed. */
import type { ChangeEvent } from '../../platform/feed/row-changes.ts';
import { topic } from '../../platform/feed/topic.ts';
import type { CustodyAccountRow } from './accounts.ts';

export type CustodyAccountEvent = ChangeEvent<CustodyAccountRow>;

export const custodyAccountTopic = topic<CustodyAccountRow>({
  table: 'accounts',
  key: 'account_id',
  fields: { clientId: 'text' },
  mode: 'lossless',
});
