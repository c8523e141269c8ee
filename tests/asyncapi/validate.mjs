// Reads AsyncAPI documents (a JSON array) from stdin; prints for each what the official parser finds.
import { readFileSync } from 'node:fs';
import asyncapi from '@asyncapi/parser';

const documents = JSON.parse(readFileSync(0, 'utf8'));
const found = [];
for (const document of documents) {
  const parser = new asyncapi.Parser();
  const { document: parsed, diagnostics } = await parser.parse(JSON.stringify(document));
  found.push({
    channels: parsed ? parsed.channels().all().map((channel) => channel.address()) : [],
    operations: parsed ? parsed.operations().all().length : 0,
    diagnostics: diagnostics.map(({ code, severity, message, path }) => ({ code, severity, message, path: path.join('/') })),
  });
}
process.stdout.write(JSON.stringify(found));
