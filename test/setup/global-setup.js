import { tsImport } from 'tsx/esm/api';

/** Jest transforms no TypeScript of global hooks that are ES modules; tsx does. */
export default async function globalSetup() {
  const { prepareRun } = await tsImport('./test-run.ts', import.meta.url);
  await prepareRun();
}
