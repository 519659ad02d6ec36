/** An operation of the specification: where it is in the graph, and which test proves it. */
export interface Operation {
  repository: string;
  operation: string;
  fields: string[];
  test: [file: string, title: string];
}
