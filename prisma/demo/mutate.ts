import type { GraphClient } from '../../platform/graph-client.ts';

interface Payload {
  errors: { code: string; message: string }[];
}

/** A mutation of the demo: its document, with the fields of the payload to read beside `errors { code message }`. */
export interface Mutation {
  name: string;
  inputType: string;
  fields?: string;
}

/**
 * Sends a mutation and gives its payload. What exists already (Conflict) is what the demo wants; any other refusal
 * is thrown, since a half-loaded demo would mislead.
 */
export async function mutate<Fields>(
  graph: GraphClient,
  { name, inputType, fields = '' }: Mutation,
  input: object,
): Promise<Fields & Payload> {
  const document = `mutation ($input: ${inputType}!) { ${name}(input: $input) { ${fields} errors { code message } } }`;
  const data = await graph.request<Record<string, Fields & Payload>>(document, { input });
  const payload = data[name];
  if (!payload) throw new Error(`The demo's ${name} gave no payload`);
  const refusal = payload.errors.find((error) => error.code !== 'CONFLICT');
  if (refusal) throw new Error(`The demo's ${name} was refused: ${refusal.message}`);
  return payload;
}
