/** Resolvers of subscription fields, alike in every domain. */
import type { ChangeEvent } from './row-changes.ts';

/** The event itself is what the field's type resolves. */
export const toldAsIs = <Event>(event: Event): Event => event;

/** The row of an event, for the field that names it. */
export const rowOf = <Row>({ row }: ChangeEvent<Row>): Row | null => row;
