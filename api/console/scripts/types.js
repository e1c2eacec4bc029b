/**
 * Write the types of the API, `src/lib/api/schema.d.ts`, from the OpenAPI document; with `--check`, compare instead.
 *
 * Counts of bytes can exceed 2^53 and are then read as bigint (`src/lib/api/json.ts`): their type says so.
 */
import { readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';
import ts from 'typescript';

const DOCUMENT = new URL('../../../docs/openapi.json', import.meta.url);
const TYPES = new URL('../src/lib/api/schema.d.ts', import.meta.url);
const HEADER = '// Generated from docs/openapi.json by `npm run types`.\n\n';

const keyword = (kind) => ts.factory.createKeywordTypeNode(kind);

function transform(schema, { path }) {
  if (schema.type === 'integer' && path?.includes('bytes')) {
    return ts.factory.createUnionTypeNode([keyword(ts.SyntaxKind.NumberKeyword), keyword(ts.SyntaxKind.BigIntKeyword)]);
  }
}

const document = JSON.parse(await readFile(DOCUMENT, 'utf8'));
const types = HEADER + astToString(await openapiTS(document, { transform, defaultNonNullable: false }));

if (process.argv.includes('--check')) {
  const committed = await readFile(TYPES, 'utf8').catch(() => '');
  if (committed !== types) {
    console.error('src/lib/api/schema.d.ts differs from docs/openapi.json: run `npm run types`');
    process.exit(1);
  }
} else {
  await writeFile(TYPES, types);
}
