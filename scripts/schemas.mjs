// Writes schema/: the JSON Schemas of experiment and network files, from the code that checks them (dist must be current).
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SCHEMA_FOLDER, SCHEMAS, schemaText } from '../dist/run/spec/schema/files.js';
import { main, say } from './steps.mjs';

await main(async () => {
  mkdirSync(SCHEMA_FOLDER, { recursive: true });
  for (const [name, make] of Object.entries(SCHEMAS)) {
    const text = schemaText(make());
    writeFileSync(join(SCHEMA_FOLDER, name), text);
    say(`schema/${name}  ${text.length.toLocaleString('en-US')} bytes`);
  }
});
