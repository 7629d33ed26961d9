import { execFile } from 'node:child_process';
import { mkdtemp, open, rm, rmdir, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A small tmpfs for one server, which a test can fill up. Mounting it requires root on Linux. */
export class SmallDisk {
  private constructor(readonly folder: string) {}

  static async mount(mebibytes: number): Promise<SmallDisk> {
    const folder = await mkdtemp(join(tmpdir(), 'eye-disk-'));
    try {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=755`, 'tmpfs', folder]);
    } catch (error) {
      await rmdir(folder);
      throw error;
    }
    return new SmallDisk(folder);
  }

  /** The reason why no disk can be mounted; undefined if mounting works. */
  static async unavailable(): Promise<string | undefined> {
    try {
      await (await SmallDisk.mount(1)).unmount();
      return undefined;
    } catch {
      return 'mounting a small disk (tmpfs) needs root on Linux';
    }
  }

  /** Fills up the remaining space. */
  async fill(): Promise<void> {
    const ballast = await open(this.ballast, 'a');
    try {
      for (let size = 1024 * 1024; size >= 4096;) {
        const { bavail, bsize } = await statfs(this.folder);
        if (bavail * bsize < size) size /= 2;
        else await ballast.write(Buffer.alloc(size)).catch(() => (size /= 2));
      }
    } finally {
      await ballast.close();
    }
  }

  async clear(): Promise<void> {
    await rm(this.ballast, { force: true });
  }

  async unmount(): Promise<void> {
    await run('umount', ['--lazy', this.folder]);
    await rmdir(this.folder);
  }

  private get ballast(): string {
    return join(this.folder, 'ballast');
  }
}
