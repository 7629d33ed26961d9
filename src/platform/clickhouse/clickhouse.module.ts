import { type DynamicModule, Global, Module } from '@nestjs/common';
import { parseClickHouseUrl } from '../config/clickhouse-url.js';
import { ClickHouseQuestions } from '../questions/questions.js';
import { ClickHouse } from './clickhouse.js';

/**
 * Questions that ClickHouse works on at once for one process; others wait in order. A key has half of them. The embedded
 * ClickHouse reads for two at once, so that one key with heavy questions leaves it to others for the other half.
 */
const QUESTIONS_AT_ONCE = { embedded: 2, server: 4 };

/** The connection to ClickHouse, which answers questions. */
@Global()
@Module({})
export class ClickHouseModule {
  /** @param url undefined if this process has no ClickHouse; then every statement fails with the line that says how to have one */
  static forRoot(url: string | undefined): DynamicModule {
    const isEmbedded = url !== undefined && parseClickHouseUrl(url).socketPath !== undefined;
    const questions = QUESTIONS_AT_ONCE[isEmbedded ? 'embedded' : 'server'];
    return {
      module: ClickHouseModule,
      providers: [
        { provide: ClickHouse, useFactory: () => new ClickHouse(url) },
        { provide: ClickHouseQuestions, useFactory: () => new ClickHouseQuestions(questions) },
      ],
      exports: [ClickHouse, ClickHouseQuestions],
    };
  }
}
