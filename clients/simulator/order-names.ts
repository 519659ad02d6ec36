/** Ids that the simulator gives to its orders, by which it knows them again after a restart. */

const OURS = 'sim-';

/**
 * Names orders of one run: no two runs share a name, nor two actors of a run.
 * @param run what tells the run apart, for example its seed and the instant it began
 */
export function orderNames(run: string, actor: string): () => string {
  let count = 0;
  return () => `${OURS}${run}-${actor}-${++count}`;
}

/** Whether the simulator, in this run or an earlier one, gave the order its name. */
export function isOurs(name: string | null): boolean {
  return name?.startsWith(OURS) ?? false;
}
