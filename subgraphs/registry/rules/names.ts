/** Names of services and keys of settings. */
import { refuse } from '../../../platform/errors.ts';

const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/; // domain.md §1.11
const CONFIG_KEY = /^[a-z0-9]+([._-][a-z0-9]+)*$/;
const KEY_LENGTH = 200;

/** The scope of what is set for every service: no name of one. */
export const EVERY_SERVICE = '*';

/** The name itself. Throws a validation Refusal on one that is no lower-case DNS label. */
export function serviceName(name: string, path: readonly string[]): string {
  if (DNS_LABEL.test(name)) return name;
  throw refuse.validation(
    `${path.at(-1)} must be 1 to 63 lower-case letters, digits and inner hyphens, for example "exchange-okx", but got "${name}".`,
    path,
  );
}

/** What a setting is for: the service of that name, or every service. */
export function scopeOf(service: string | null | undefined, path: readonly string[]): string {
  return service === null || service === undefined ? EVERY_SERVICE : serviceName(service, path);
}

/** The key itself. Throws a validation Refusal on one of another form. */
export function configKey(key: string, path: readonly string[]): string {
  if (key.length <= KEY_LENGTH && CONFIG_KEY.test(key)) return key;
  throw refuse.validation(
    `key must be lower-case letters and digits in parts separated by ".", "-" or "_", at most ${KEY_LENGTH} characters, for example "risk.check-interval", but got "${key}".`,
    path,
  );
}
