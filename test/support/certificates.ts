import { execFile } from 'node:child_process';
import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { remove } from '../../testing/the-eye.js';

/** A certificate authority of a test, and a certificate that it has issued. */
export interface Certificates {
  /** Paths of files in PEM format. */
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
  /** A certificate authority that has issued nothing. */
  readonly otherCa: string;
  remove(): Promise<void>;
}

/** Issues a certificate for the IP address 127.0.0.1, and for another name than localhost, with OpenSSL. */
export async function issueCertificates(): Promise<Certificates> {
  const folder = await mkdtemp(join(tmpdir(), 'eye-tls-'));
  const file = (name: string): string => join(folder, name);
  const openssl = (...args: string[]) => promisify(execFile)('openssl', args);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  for (const name of ['ca', 'other'])
    await openssl(
      ...['req', '-x509', ...newKey, '-keyout', file(`${name}.key`), '-out', file(`${name}.crt`)],
      ...['-days', '2', '-subj', `/CN=The Eye test ${name}`],
    );
  await writeFile(file('names'), 'subjectAltName=IP:127.0.0.1,DNS:database.example');
  await openssl(
    'req',
    ...newKey,
    '-keyout',
    file('server.key'),
    '-out',
    file('server.csr'),
    '-subj',
    '/CN=server',
  );
  await openssl(
    ...['x509', '-req', '-in', file('server.csr'), '-CA', file('ca.crt'), '-CAkey', file('ca.key')],
    ...['-days', '2', '-extfile', file('names'), '-out', file('server.crt')],
  );
  await chmod(folder, 0o755);
  // PostgreSQL accepts only a key of its own account, which root has made for it.
  if (process.getuid?.() === 0) await promisify(execFile)('chown', ['postgres', file('server.key')]);
  return {
    ca: file('ca.crt'),
    certificate: file('server.crt'),
    key: file('server.key'),
    otherCa: file('other.crt'),
    remove: () => remove(folder),
  };
}
