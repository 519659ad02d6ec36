/** `npm run operations`: writes docs/operations.md. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { PAGE, pageOf, readOperations } from '../test/operations/table.ts';

const operations = await readOperations();
mkdirSync(new URL('./', PAGE), { recursive: true });
writeFileSync(PAGE, pageOf(operations));
const count = [...operations.values()].flat().length;
process.stdout.write(`docs/operations.md lists ${count} operations.\n`);
