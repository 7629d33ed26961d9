import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import fastifyStatic from '@fastify/static';

/** The dashboard, its modules and its styles. They are served as they are in the source; there is no build step. */
export const PAGE_FOLDER = join(import.meta.dirname, 'public');

const uplot = dirname(createRequire(import.meta.url).resolve('uplot'));

/** The files of the dashboard's one library, by the last segment of their path. */
export const VENDOR_FILES: ReadonlyMap<string, string> = new Map([
  ['uplot.js', join(uplot, 'uPlot.esm.js')],
  ['uplot.css', join(uplot, 'uPlot.min.css')],
]);

/** Adds `reply.sendFile()`, which sets ETags and refuses paths outside the folder. */
export function sendFiles(app: NestFastifyApplication): void {
  void app.register(fastifyStatic, { root: PAGE_FOLDER, serve: false });
}
