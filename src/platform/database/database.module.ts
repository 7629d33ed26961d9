import { type DynamicModule, Global, Module, type Provider } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Questions } from '../questions/questions.js';
import { Connections, POOL_SIZES } from './connections.js';
import { dataSourceOptions } from './data-source-options.js';
import { Database } from './database.js';
import { HealthSql, KeySql, ReadSql, Sql } from './sql.js';

/**
 * The connections to PostgreSQL: one TypeORM data source for entities and migrations, and `Sql`, which runs the statements
 * of all repositories, with a pool for each purpose, and the admission of questions to theirs.
 */
@Global()
@Module({})
export class DatabaseModule {
  static forRoot(url: string): DynamicModule {
    const connections = new Connections(url);
    const pooled = (type: typeof Sql, size: number): Provider => ({
      provide: type,
      useFactory: () => new type(connections, size),
    });
    return {
      module: DatabaseModule,
      imports: [
        TypeOrmModule.forRoot({
          ...dataSourceOptions(url, connections),
          autoLoadEntities: true,
          manualInitialization: true,
        }),
      ],
      providers: [
        { provide: Connections, useValue: connections },
        Database,
        pooled(Sql, POOL_SIZES.write),
        pooled(ReadSql, POOL_SIZES.read),
        pooled(KeySql, POOL_SIZES.key),
        pooled(HealthSql, POOL_SIZES.health),
        { provide: Questions, useFactory: () => new Questions(POOL_SIZES.read) },
      ],
      exports: [Database, Sql, ReadSql, KeySql, HealthSql, Questions],
    };
  }
}
