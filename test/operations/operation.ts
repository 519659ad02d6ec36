export interface Operation {
  repository: string;
  operation: string;
  fields: string[];
  test: [file: string, title: string];
}
