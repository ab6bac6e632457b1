// Writes .gz and .br beside every compressible file of dist, and puts the placeholder back that Go's embed needs.
import fs from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const dist = path.resolve('dist');
const compressible = /\.(js|css|html|svg|json|map|txt|webmanifest)$/;

fs.writeFileSync(path.join(dist, '.gitkeep'), '');
let files = 0;
for (const entry of fs.readdirSync(dist, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !compressible.test(entry.name)) continue;
  const file = path.join(entry.parentPath, entry.name);
  const body = fs.readFileSync(file);
  if (body.length < 512) continue;
  fs.writeFileSync(`${file}.gz`, gzipSync(body, { level: 9 }));
  const params = { [constants.BROTLI_PARAM_QUALITY]: 10, [constants.BROTLI_PARAM_SIZE_HINT]: body.length };
  fs.writeFileSync(`${file}.br`, brotliCompressSync(body, { params }));
  files++;
}
console.log(`compressed ${files} files`);
