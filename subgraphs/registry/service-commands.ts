/** What processes say of themselves. */
import { type CommandPayload, command } from '../../platform/command.ts';
import { stored } from '../../platform/enums.ts';
import { Refusal, refuse } from '../../platform/errors.ts';
import type { ServiceDiscoveryRepository } from '../../platform/repositories/service-discovery.ts';
import type { Context } from './context.ts';
import type {
  CleanupStaleServicesInput,
  DeregisterServiceInput,
  HeartbeatInput,
  RegisterServiceInput,
  SetServiceStatusInput,
} from './generated/resolvers.ts';
import { registrationOf } from './rules/service-registration.ts';

export type ServicePayload = CommandPayload<{ serviceId: string }>;
export type DeregisterPayload = CommandPayload<{ wasRegistered: boolean }>;
export type CleanupPayload = CommandPayload<{ removedCount: number }>;

export function registerService(context: Context, input: RegisterServiceInput): Promise<ServicePayload> {
  return serviceCommand(context, 'registerService', input, async (services) => {
    const registration = registrationOf(input);
    const { serviceId } = await services.register({ ...registration, status: stored(input.status ?? 'HEALTHY') });
    return { serviceId };
  });
}

export function heartbeat(context: Context, input: HeartbeatInput): Promise<ServicePayload> {
  return serviceCommand(context, 'heartbeat', input, (services) =>
    found(services.updateHeartbeat(input.serviceId), input.serviceId),
  );
}

export function setServiceStatus(context: Context, input: SetServiceStatusInput): Promise<ServicePayload> {
  return serviceCommand(context, 'setServiceStatus', input, (services) =>
    found(services.updateStatus(input.serviceId, stored(input.status)), input.serviceId),
  );
}

export function deregisterService(context: Context, input: DeregisterServiceInput): Promise<DeregisterPayload> {
  return serviceCommand(context, 'deregisterService', input, async (services) => ({
    wasRegistered: (await services.deregister(input.serviceId)) !== null,
  }));
}

export function cleanupStaleServices(context: Context, input: CleanupStaleServicesInput): Promise<CleanupPayload> {
  return serviceCommand(context, 'cleanupStaleServices', input, async (services) => {
    const seconds = input.olderThanSeconds ?? undefined;
    if (seconds !== undefined && seconds < 1) {
      throw refuse.validation(`olderThanSeconds must be at least 1, but got ${seconds}.`, [
        'input',
        'olderThanSeconds',
      ]);
    }
    return { removedCount: await services.cleanupStaleServices(seconds && seconds * 1_000) };
  });
}

/**
 * Services are no rows, and are told of while PostgreSQL is away. Each of these commands may be repeated without harm; the
 * database is needed only to remember a key.
 */
async function serviceCommand<Result extends object>(
  context: Context,
  operation: string,
  input: { idempotencyKey?: string | null | undefined },
  work: (services: ServiceDiscoveryRepository) => Promise<Result>,
): Promise<CommandPayload<Result>> {
  const perform = () => context.service.ask(work);
  const payload = input.idempotencyKey
    ? await command(context, operation, input, perform)
    : await perform().then((result) => ({ ...result, errors: [] }) as CommandPayload<Result>, refused<Result>);
  context.service.watch.ring();
  return payload;
}

function refused<Result>(error: unknown): CommandPayload<Result> {
  if (error instanceof Refusal) return { errors: [error.userError] } as unknown as CommandPayload<Result>;
  throw error;
}

async function found(service: Promise<object | null>, serviceId: string): Promise<{ serviceId: string }> {
  if ((await service) === null) throw refuse.notFound('ServiceInstance', serviceId, ['input', 'serviceId']);
  return { serviceId };
}
