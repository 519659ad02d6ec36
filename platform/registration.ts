/**
 * Says to the registry, by way of the graph, that this process is there: it registers, sends heartbeats, and says when it
 * ends. Nothing waits for it; while the registry is away it is tried again and again.
 */
import { hostname } from 'node:os';
import { z } from 'zod';
import { checkSettings } from './config.ts';
import type { GraphClient } from './graph-client.ts';
import type { Health, HealthStatus } from './health.ts';
import { identityOf } from './identity.ts';
import type { Logger } from './log.ts';

/** Where others reach this process. */
export interface Place {
  host: string;
  port: number;
}

/** A service in this process. */
export interface Service {
  /** A lower-case DNS label. */
  name: string;
  /** How it does, asked at each heartbeat. @default HEALTHY as long as it sends any */
  status?: () => Promise<HealthStatus>;
}

/** A domain, which says how it does. */
export function serviceOf(domain: { readonly health: Health }): Service {
  return { name: domain.health.service, status: async () => (await domain.health.read()).status };
}

export interface RegistrationOptions {
  graph: GraphClient;
  services: readonly Service[];
  place: Place;
  log: Logger;
  /** Pauses between attempts that fail. @default RETRY_MS */
  retryMs?: { first: number; longest: number };
}

export interface Registration {
  /** Says that the services end, if the registry answers soon, and stops. */
  stop(): Promise<void>;
}

/** The first pause after an attempt that failed; each next one is twice as long. */
export const RETRY_MS = { first: 1_000, longest: 15_000 }; // 1 to 15 seconds

/** Heartbeats within a time to live: two may be lost. */
const HEARTBEATS = 3;

/** A service that is not well says sooner that it is again. */
const UNWELL_MS = 5_000; // 5 seconds

/** Whoever stops the process waits no longer for the registry. */
const FAREWELL_MS = 2_000; // 2 seconds

const REGISTER = /* GraphQL */ `
  mutation Register($input: RegisterServiceInput!) {
    registerService(input: $input) { ttlSeconds errors { code message } }
  }
`;
const HEARTBEAT = /* GraphQL */ `
  mutation Heartbeat($serviceId: ID!) {
    heartbeat(input: { serviceId: $serviceId }) { errors { code message } }
  }
`;
const SET_STATUS = /* GraphQL */ `
  mutation SetStatus($serviceId: ID!, $status: HealthStatus!) {
    setServiceStatus(input: { serviceId: $serviceId, status: $status }) { errors { code message } }
  }
`;
const DEREGISTER = /* GraphQL */ `
  mutation Deregister($serviceId: ID!) {
    deregisterService(input: { serviceId: $serviceId }) { wasRegistered }
  }
`;

interface Payload {
  ttlSeconds?: number;
  errors: { code: string; message: string }[];
}

export function register({ services, retryMs = RETRY_MS, ...options }: RegistrationOptions): Registration {
  const registered = services.map((service) => new RegisteredService({ ...options, service, retryMs }));
  return {
    async stop() {
      await Promise.all(registered.map((service) => service.stop()));
    },
  };
}

class RegisteredService {
  private readonly options: Required<Omit<RegistrationOptions, 'services'>> & { service: Service };
  private readonly serviceId: string;
  /** How the service does, as the registry was told. */
  private told: HealthStatus = 'HEALTHY';
  /** Time between heartbeats; null while the service is not registered. */
  private intervalMs: number | null = null;
  private failures = 0;
  private isStopped = false;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void>;

  constructor(options: RegisteredService['options']) {
    const { service, place } = options;
    this.options = options;
    this.serviceId = `${service.name}@${place.host}:${place.port}`;
    this.running = this.beat();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    const farewell = this.running
      .then(() => this.options.graph.request(DEREGISTER, { serviceId: this.serviceId }))
      .catch(() => undefined); // it is forgotten without a word as well, somewhat later
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise((resolve) => {
      timer = setTimeout(resolve, FAREWELL_MS);
    });
    await Promise.race([farewell, tooLate]);
    clearTimeout(timer);
  }

  /** Never rejects. */
  private async beat(): Promise<void> {
    const { log } = this.options;
    const { name, status } = this.options.service;
    try {
      const now = (await status?.()) ?? 'HEALTHY';
      if (this.intervalMs !== null) await this.sendHeartbeat(now);
      if (this.intervalMs === null) await this.register(now);
      if (this.failures > 0) log.info({ service: name }, 'the registry knows the service again');
      this.failures = 0;
    } catch (error) {
      if (this.failures++ === 0) log.warn({ service: name, err: error }, 'the registry cannot be told of the service');
    }
    this.next(this.pauseMs());
  }

  private pauseMs(): number {
    const { first, longest } = this.options.retryMs;
    if (this.failures > 0 || this.intervalMs === null) return Math.min(longest, first * 2 ** (this.failures - 1));
    return this.told === 'HEALTHY' ? this.intervalMs : Math.min(this.intervalMs, UNWELL_MS);
  }

  private next(inMs: number): void {
    if (this.isStopped) return;
    this.timer = setTimeout(
      () => {
        this.running = this.beat();
      },
      inMs * (0.9 + 0.1 * Math.random()), // not all at once
    ).unref();
  }

  private async sendHeartbeat(status: HealthStatus): Promise<void> {
    const { graph } = this.options;
    const { serviceId } = this;
    const { heartbeat } = await graph.request<{ heartbeat: Payload }>(HEARTBEAT, { serviceId });
    this.heed(heartbeat);
    if (this.intervalMs === null || status === this.told) return;
    const { setServiceStatus } = await graph.request<{ setServiceStatus: Payload }>(SET_STATUS, { serviceId, status });
    this.heed(setServiceStatus);
    this.told = status;
  }

  /** Where the registry has forgotten the service, it registers anew. */
  private heed({ errors: [refusal] }: Payload): void {
    if (refusal?.code === 'NOT_FOUND') this.intervalMs = null;
    else if (refusal) throw new Error(`The heartbeat was refused: ${refusal.message}`);
  }

  private async register(status: HealthStatus): Promise<void> {
    const { graph, place } = this.options;
    const { name } = this.options.service;
    const { instance, version, environment } = identityOf();
    const input = {
      serviceId: this.serviceId,
      name,
      version,
      host: place.host,
      httpPort: place.port,
      status,
      metadata: { instance, environment },
    };
    const { registerService } = await graph.request<{ registerService: Required<Payload> }>(REGISTER, { input });
    const [refusal] = registerService.errors;
    if (refusal) throw new Error(`The registration was refused: ${refusal.message}`);
    this.told = status;
    this.intervalMs = (registerService.ttlSeconds * 1_000) / HEARTBEATS;
  }
}

const schema = z.object({
  /** Name or address by which others reach this process. */
  SERVICE_HOST: z.string().optional(),
});

const EVERY_INTERFACE = new Set(['0.0.0.0', '::', '']);

/** SERVICE_HOST, else the address that the process listens on, else the machine's name. */
export function placeOf(listening: Place, environment: NodeJS.ProcessEnv): Place {
  const { SERVICE_HOST: host } = checkSettings(schema, environment);
  const { host: listensOn, port } = listening;
  return { host: host ?? (EVERY_INTERFACE.has(listensOn) ? hostname() : listensOn), port };
}
