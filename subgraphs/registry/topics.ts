/** What of the registry's rows can be followed. */
import type { ChangeEvent } from '../../platform/feed/row-changes.ts';
import { topic } from '../../platform/feed/topic.ts';
import type { ConfigEntryRow } from './configs.ts';
import { configKey, EVERY_SERVICE, serviceName } from './rules/names.ts';

export type ConfigEvent = ChangeEvent<ConfigEntryRow>;

export const configTopic = topic<ConfigEntryRow>({
  table: 'config_entries',
  key: 'entry_id',
  fields: { key: 'text', scope: 'text' },
  mode: 'conflated',
});

/** What is set for the service or for every service, under these keys. */
export function configChoice(keys: readonly string[] | null | undefined, service: string | null | undefined) {
  return {
    key: keys?.map((key) => configKey(key, ['keys'])),
    scope: service ? [serviceName(service, ['service']), EVERY_SERVICE] : null,
  };
}
