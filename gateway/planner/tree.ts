/** Data of an answer while it is put together: what subgraphs gave, keyed by response key. */
export type Tree = Record<string, unknown>;

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Adds what another subgraph says of the same object. Lists of one length are the same list. */
export function mergeInto(target: Tree, source: Tree): void {
  for (const key in source) {
    if (key === '__proto__') continue;
    const incoming = source[key];
    const present = target[key];
    if (present === undefined || present === null || incoming === undefined) target[key] = incoming ?? present;
    else target[key] = merge(present, incoming);
  }
}

function merge(present: unknown, incoming: unknown): unknown {
  if (present === incoming) return present;
  if (Array.isArray(present) && Array.isArray(incoming) && present.length === incoming.length) {
    for (let index = 0; index < present.length; index++) present[index] = merge(present[index], incoming[index]);
    return present;
  }
  if (!isTree(present) || !isTree(incoming)) return incoming;
  mergeInto(present, incoming);
  return present;
}

/** A copy that can be added to without touching the original. */
export function copyTree<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(copyTree) as Value;
  if (!isTree(value)) return value;
  const copy: Tree = {};
  for (const key in value) copy[key] = copyTree(value[key]);
  return copy as Value;
}
