/** What a process may say of itself. */
import { refuse } from '../../../platform/errors.ts';
import { boundedText, isStorable } from '../../../platform/texts.ts';
import { serviceName } from './names.ts';

export interface RegistrationInput {
  serviceId: string;
  name: string;
  version: string;
  host: string;
  httpPort?: number | null | undefined;
  grpcPort?: number | null | undefined;
  metadata?: Record<string, unknown> | null | undefined;
}

const ID_LENGTH = 255;
const VERSION_LENGTH = 64;
const HOST_LENGTH = 255;
const METADATA_LIMIT = 50;
const METADATA_LENGTH = 500;
const LARGEST_PORT = 65_535;

/**
 * The registration as it is kept.
 * @throws Refusal (validation) naming the first field that does not fit
 */
export function registrationOf(input: RegistrationInput) {
  return {
    serviceId: boundedText(input.serviceId, ID_LENGTH, ['input', 'serviceId']),
    serviceName: serviceName(input.name, ['input', 'name']),
    version: boundedText(input.version, VERSION_LENGTH, ['input', 'version']),
    host: boundedText(input.host, HOST_LENGTH, ['input', 'host']),
    httpPort: port(input.httpPort ?? null, 'httpPort'),
    grpcPort: port(input.grpcPort ?? null, 'grpcPort'),
    metadata: texts(input.metadata ?? {}),
  };
}

function port(value: number | null, field: string): number | null {
  if (value === null || (value >= 1 && value <= LARGEST_PORT)) return value;
  throw refuse.validation(`${field} must be from 1 to ${LARGEST_PORT}, but got ${value}.`, ['input', field]);
}

function texts(metadata: Record<string, unknown>): Record<string, string> {
  const path = ['input', 'metadata'];
  const entries = Object.entries(metadata);
  if (entries.length > METADATA_LIMIT) {
    throw refuse.validation(`metadata takes at most ${METADATA_LIMIT} texts, but got ${entries.length}.`, path);
  }
  for (const [name, value] of entries) {
    if (typeof value !== 'string') {
      throw refuse.validation(`metadata holds texts only, but "${name}" is ${JSON.stringify(value)}.`, path);
    }
    if (name.length > METADATA_LENGTH || value.length > METADATA_LENGTH || !isStorable(name + value)) {
      const problem = `must be valid texts without NUL characters, of at most ${METADATA_LENGTH} characters each`;
      throw refuse.validation(`The names and texts of metadata ${problem}.`, path);
    }
  }
  return metadata as Record<string, string>;
}
