import { type DynamicModule, Global, Module } from '@nestjs/common';
import { QUESTIONS_AT_ONCE } from '../embedded/clickhouse/chdb.js';
import { ClickHouseQuestions } from '../questions/questions.js';
import { ClickHouse } from './clickhouse.js';

/** Questions that a server works on at once for one process. */
const QUESTIONS_TO_SERVER = 4;

/** The connection to ClickHouse, which answers questions. */
@Global()
@Module({})
export class ClickHouseModule {
  /** @param url undefined if this process has no ClickHouse; then every statement fails with the line that says how to have one */
  static forRoot(url: string | undefined): DynamicModule {
    return {
      module: ClickHouseModule,
      providers: [
        { provide: ClickHouse, useFactory: () => new ClickHouse(url) },
        {
          provide: ClickHouseQuestions,
          inject: [ClickHouse],
          // The embedded one gets no more than it works on, so that others need not wait behind the questions of one key there.
          useFactory: ({ isEmbedded }: ClickHouse) =>
            new ClickHouseQuestions(isEmbedded ? QUESTIONS_AT_ONCE : QUESTIONS_TO_SERVER),
        },
      ],
      exports: [ClickHouse, ClickHouseQuestions],
    };
  }
}
