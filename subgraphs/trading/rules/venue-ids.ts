/** Ids that venues give to orders and executions. */

import { boundedText } from '../../../platform/texts.ts';
import { isUuid } from '../../../platform/uuid.ts';
import { ID_LENGTH } from './texts.ts';

/** The id as it is stored: a UUID in lower case, whatever case it came in; any other text as it came. */
export function canonicalVenueId(id: string): string {
  return isUuid(id) ? id.toLowerCase() : id;
}

/**
 * The id as it is stored, when it has 1 to 255 characters.
 * @throws Refusal (validation) otherwise
 */
export function venueId(id: string, path: readonly string[]): string {
  return canonicalVenueId(boundedText(id, ID_LENGTH, path));
}
