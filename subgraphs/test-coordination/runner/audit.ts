/** What a run asks of the audit: whether it has seen, in time, what was to be detected. */
import type { Definition } from '../rules/definition.ts';
import { deadlineMs } from '../rules/timing.ts';
import type { TestRunRow } from '../runs/runs.ts';
import { type Desk, Refused } from './desk.ts';

export interface AuditExpectations {
  runId: string;
  scenarioId: string;
  startedAt: string;
  /** Given once the run is over: then the judgement is final. */
  endedAt?: string;
  expected: { name: string; eventType: string; withinMs: number; afterEventType: string | null }[];
}

/** What is told when something is injected, whoever injects it. */
const INJECTED = 'chaos_injection_started';

/** Setting up comes before what causes a detection, where nothing is injected. */
const BEFORE_MS = 60_000; // a minute

/** The detections of a scenario that the audit can see. */
export function expectationsOf(run: TestRunRow, { phases }: Definition): AuditExpectations {
  const injects = phases.some(({ actions }) =>
    actions.some(({ action }) => action === 'inject_fault' || action === 'start_market_scenario'),
  );
  const expected = phases.flatMap(({ assertions }) =>
    assertions.flatMap(({ detection, withinSeconds }) => {
      if (!detection?.auditEvent || withinSeconds === undefined) return [];
      const deadline = deadlineMs(withinSeconds, Number(run.timeScale));
      return [
        {
          name: detection.name,
          eventType: detection.auditEvent,
          withinMs: injects ? deadline : deadline + BEFORE_MS,
          afterEventType: injects ? INJECTED : null,
        },
      ];
    }),
  );
  return { runId: run.runId, scenarioId: run.scenarioId, startedAt: run.startedAt ?? run.createdAt, expected };
}

interface Judged {
  name: string;
  isFound: boolean;
  isWithinSla: boolean;
}

/** What the audit has found of it; null where the graph has no audit that could say. */
export async function validateAtAudit(desk: Desk, expectations: AuditExpectations): Promise<Judged[] | null> {
  try {
    const { validation } = await desk.send(
      'validateScenarioRun',
      expectations,
      'validation { expectations { name isFound isWithinSla } }',
    );
    return validation?.expectations ?? [];
  } catch (error) {
    if (isUnknown(error)) return null;
    throw error;
  }
}

/** The graph has no such thing. */
export function isUnknown(error: unknown): boolean {
  return !(error instanceof Refused) && error instanceof Error && /Cannot query field|Unknown type/.test(error.message);
}
