/** Renamings by which a plan keeps fields of different types apart that share a response key. */
import type { FetchNodePathSegment, FetchRewrite } from '@graphql-hive/router-query-planner';
import type { GraphQLSchema } from 'graphql';
import { typesOf } from './entities.ts';
import { isTree, type Tree } from './tree.ts';

export type Rewrite = (value: unknown) => unknown;

type Step = { key: string } | { types: ReadonlySet<string> };

export function compileRewrites(rewrites: readonly FetchRewrite[] | undefined, schema: GraphQLSchema): Rewrite | null {
  if (!rewrites || rewrites.length === 0) return null;
  const compiled = rewrites.map((rewrite) => compileRewrite(rewrite, schema));
  return (value) => compiled.reduce((current, rewrite) => rewrite(current), value);
}

function compileRewrite(rewrite: FetchRewrite, schema: GraphQLSchema): Rewrite {
  if ('KeyRenamer' in rewrite) {
    const { path, renameKeyTo } = rewrite.KeyRenamer;
    return (value) => rename(value, compileSteps(path, schema), 0, renameKeyTo);
  }
  const { path, setValueTo } = 'ValueSetter' in rewrite ? rewrite.ValueSetter : rewrite;
  const steps = compileSteps(path, schema);
  return (value) => setValue(value, steps, 0, setValueTo);
}

function compileSteps(path: readonly FetchNodePathSegment[], schema: GraphQLSchema): Step[] {
  return path.map((segment) =>
    'Key' in segment ? { key: segment.Key } : { types: typesOf(segment.TypenameEquals, schema) },
  );
}

function rename(value: unknown, steps: readonly Step[], depth: number, to: string): unknown {
  if (Array.isArray(value)) {
    for (const item of value) rename(item, steps, depth, to);
    return value;
  }
  const step = steps[depth];
  if (!isTree(value) || !step) return value;
  if ('types' in step) {
    if (fits(value, step.types)) rename(value, steps, depth + 1, to);
  } else if (depth < steps.length - 1) {
    rename(value[step.key], steps, depth + 1, to);
  } else if (step.key in value) {
    value[to] = value[step.key];
    delete value[step.key];
  }
  return value;
}

function setValue(value: unknown, steps: readonly Step[], depth: number, to: string): unknown {
  if (Array.isArray(value)) return value.map((item) => setValue(item, steps, depth, to));
  const step = steps[depth];
  if (!step) return to;
  if (!isTree(value)) return value;
  if ('types' in step) return fits(value, step.types) ? setValue(value, steps, depth + 1, to) : value;
  const isLast = depth === steps.length - 1;
  const present = value[step.key];
  if (!isLast && (present === undefined || present === null)) return value;
  return { ...value, [step.key]: isLast ? to : setValue(present, steps, depth + 1, to) };
}

function fits(value: Tree, types: ReadonlySet<string>): boolean {
  return typeof value.__typename !== 'string' || types.has(value.__typename);
}
