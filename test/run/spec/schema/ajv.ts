// Validators of the published schemas: draft 2020-12, as editors take them, and strict about words they do not know.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { experimentSchema } from '../../../../lib/run/spec/schema/experiment.js';
import type { JsonSchema } from '../../../../lib/run/spec/schema/json-schema.js';
import { networkSchema } from '../../../../lib/run/spec/schema/network.js';

function validator(schema: JsonSchema): ValidateFunction {
  // Conditions name members of the object around them, and say no type of their own.
  const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, strictTuples: false });
  return ajv.compile(schema);
}

export const isExperiment = validator(experimentSchema());
export const isNetwork = validator(networkSchema());
