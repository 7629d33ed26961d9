import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import fastifyStatic from '@fastify/static';

/** The page, its modules and styles, as they stand in the source: there is no build step. */
export const PAGE_FOLDER = join(import.meta.dirname, 'public');

const uplot = dirname(createRequire(import.meta.url).resolve('uplot'));

/** What the page loads of its one library, by the last part of the address. */
export const VENDOR_FILES: ReadonlyMap<string, string> = new Map([
  ['uplot.js', join(uplot, 'uPlot.esm.js')],
  ['uplot.css', join(uplot, 'uPlot.min.css')],
]);

/** Teaches replies `sendFile`, with its ETags and its refusal of every path that leads out of the folder. */
export function sendFiles(app: NestFastifyApplication): void {
  void app.register(fastifyStatic, { root: PAGE_FOLDER, serve: false });
}
