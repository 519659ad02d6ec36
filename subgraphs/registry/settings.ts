/** The registry's own settings, read once from the environment. */
import { z } from 'zod';
import { checkSettings } from '../../platform/config.ts';
import { SERVICE_TTL_MS } from '../../platform/repositories/service-discovery.ts';

const schema = z.object({
  /** How long a process is kept that sends no heartbeat. */
  REGISTRY_SERVICE_TTL_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(86_400)
    .default(SERVICE_TTL_MS / 1_000),
});

export interface RegistrySettings {
  serviceTtlSeconds: number;
}

/** Reads the settings; throws one error that names the value that does not fit. */
export function readSettings(environment: NodeJS.ProcessEnv): RegistrySettings {
  return { serviceTtlSeconds: checkSettings(schema, environment).REGISTRY_SERVICE_TTL_SECONDS };
}

export const settings = readSettings(process.env);
