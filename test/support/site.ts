import { build } from 'esbuild';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LocalServer } from './local-server.js';

const PAGE =
  '<!doctype html><title>A shop</title><link rel="icon" href="data:,"><body><script src="/script.js"></script>';

/** A site whose only page runs a program. */
export class Site extends LocalServer {
  private script = '';

  static async start(program: string): Promise<Site> {
    const site = new Site();
    await site.run(program);
    return site.listen();
  }

  get origin(): string {
    return this.url;
  }

  /** @param program a module, which may import the packages of this project; the page runs it once it is opened again */
  async run(program: string): Promise<void> {
    const { outputFiles } = await build({
      stdin: { contents: program, resolveDir: import.meta.dirname },
      bundle: true,
      minify: true,
      write: false,
      logLevel: 'error',
    });
    this.script = outputFiles[0]?.text ?? '';
  }

  protected override respond({ url }: IncomingMessage, outgoing: ServerResponse): void {
    const isScript = url === '/script.js';
    outgoing
      .setHeader('content-type', `text/${isScript ? 'javascript' : 'html'}; charset=utf-8`)
      .end(isScript ? this.script : PAGE);
  }
}
