// Writes schema/, the JSON Schemas of experiment and network files, and the types of an experiment as it is written
// (lib/run/spec/experiment-input.ts), from the code that checks them (dist must be current).
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  experimentInputText,
  INPUT_TYPES,
  SCHEMA_FOLDER,
  SCHEMAS,
  schemaText,
} from '../dist/run/spec/schema/files.js';
import { main, ROOT, say } from './steps.mjs';

await main(async () => {
  mkdirSync(SCHEMA_FOLDER, { recursive: true });
  const schemas = Object.entries(SCHEMAS).map(([name, make]) => [`schema/${name}`, schemaText(make())]);
  for (const [name, text] of [...schemas, [INPUT_TYPES, experimentInputText()]]) {
    writeFileSync(join(ROOT, name), text);
    say(`${name}  ${text.length.toLocaleString('en-US')} bytes`);
  }
});
