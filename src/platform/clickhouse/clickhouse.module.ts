import { type DynamicModule, Global, Module } from '@nestjs/common';
import { ClickHouseQuestions } from '../questions/questions.js';
import { ClickHouse } from './clickhouse.js';

/** Questions that ClickHouse works on at once for one process; others wait in order. */
const QUESTIONS_AT_ONCE = 4;

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
        { provide: ClickHouseQuestions, useFactory: () => new ClickHouseQuestions(QUESTIONS_AT_ONCE) },
      ],
      exports: [ClickHouse, ClickHouseQuestions],
    };
  }
}
