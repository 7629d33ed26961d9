import { type DynamicModule, Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { dataSourceOptions } from './data-source-options.js';
import { Database } from './database.js';
import { Sql } from './sql.js';

/** One TypeORM data source on PostgreSQL, its migrations, and `Sql`, which runs the statements of all repositories. */
@Global()
@Module({})
export class DatabaseModule {
  static forRoot(url: string): DynamicModule {
    return {
      module: DatabaseModule,
      imports: [
        TypeOrmModule.forRoot({
          ...dataSourceOptions(url),
          autoLoadEntities: true,
          manualInitialization: true,
        }),
      ],
      providers: [Database, Sql],
      exports: [Database, Sql],
    };
  }
}
