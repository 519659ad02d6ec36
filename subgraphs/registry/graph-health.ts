/** How the whole graph does: each domain is asked by way of the graph, and one that does not answer is named. */
import { camelCaseOf, DOMAINS, type Domain } from '../../platform/domains.ts';
import type { GraphClient } from '../../platform/graph-client.ts';
import { type DomainHealth, type Health, type HealthStatus, worst } from '../../platform/health.ts';

export interface GraphHealthReport {
  status: HealthStatus;
  /** RFC 3339. */
  checkedAt: string;
  domains: DomainHealth[];
}

export interface GraphHealthReader {
  /** Never rejects. */
  read(): Promise<GraphHealthReport>;
}

/** An answer serves everybody for so long. */
const KEPT_MS = 1_000; // 1 second

/** A domain answers within a second or so, whatever hangs there; one that takes longer is away. */
const PATIENCE_MS = 2_000; // 2 seconds

const FIELDS = `domain status service instance version environment checkedAt reasons
  stores { store connected latencyMs error version since }
  cache { domain processHits redisHits misses bypasses stale sampled foundStale entries bytes evictions redisErrors redisGenerations }`;

/** @param own the registry's own, which need not be asked by way of the graph */
export function graphHealth(graph: GraphClient, own: Health): GraphHealthReader {
  let latest: Promise<GraphHealthReport> | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;

  async function look(): Promise<GraphHealthReport> {
    const domains = await Promise.all(
      DOMAINS.map((domain) => (domain === 'registry' ? own.read() : healthOf(graph, domain))),
    );
    return { status: worst(domains.map(({ status }) => status)), checkedAt: new Date().toISOString(), domains };
  }

  return {
    read() {
      if (!latest || performance.now() - lookedAt >= KEPT_MS) {
        lookedAt = performance.now();
        latest = look();
      }
      return latest;
    },
  };
}

async function healthOf(graph: GraphClient, domain: Domain): Promise<DomainHealth> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS, null);
  });
  try {
    const asked = graph.request<{ health: DomainHealth | null }>(
      `{ health: ${camelCaseOf(domain)}Health { ${FIELDS} } }`,
    );
    const answer = await Promise.race([asked, tooLate]);
    return answer?.health ?? away(domain);
  } catch {
    return away(domain);
  } finally {
    clearTimeout(timer);
  }
}

function away(domain: Domain): DomainHealth {
  return {
    domain,
    status: 'UNHEALTHY',
    service: domain,
    instance: '',
    version: '',
    environment: '',
    checkedAt: new Date().toISOString(),
    stores: [],
    cache: null,
    reasons: [`The ${domain} domain does not answer.`],
  };
}
