import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { NotFoundError } from '../platform/errors/domain-error.js';

/** `npm run build` writes it, from packages/client. */
const PATH = join(import.meta.dirname, 'eye.js');

/** The script, and what is computed from it once. */
export interface Script {
  readonly identity: Buffer;
  readonly gzip: Buffer;
  readonly br: Buffer;
  /** Of the uncompressed text: https://www.w3.org/TR/SRI/ */
  readonly integrity: string;
}

/** The script of `GET /eye.js`. The text is the same for all callers. */
@Injectable()
export class ScriptFile {
  private script: Promise<Script> | undefined;

  /** @throws DomainError `not_found` if it was not built: `nest build` alone does not */
  load(): Promise<Script> {
    this.script ??= read();
    return this.script;
  }
}

async function read(): Promise<Script> {
  const identity = await readFile(PATH).catch(() => {
    throw new NotFoundError('The script was not built: npm run build does it.');
  });
  const [zipped, br] = await Promise.all([
    promisify(gzip)(identity, { level: constants.Z_BEST_COMPRESSION }),
    promisify(brotliCompress)(identity),
  ]);
  const digest = createHash('sha384').update(identity).digest('base64');
  return { identity, gzip: zipped, br, integrity: `sha384-${digest}` };
}
