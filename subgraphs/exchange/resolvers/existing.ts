/** The row that a foreign key promises. Throws when it is not there, which is a bug and no answer. */
export async function existing<Row>(row: Promise<Row | null>, type: string, id: string): Promise<Row> {
  const found = await row;
  if (found === null) throw new Error(`${type} "${id}" is referred to but is not there`);
  return found;
}
