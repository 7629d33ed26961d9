import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { RejectionEntity } from './rejection.entity.js';
import { RejectionsRepository } from './rejections.repository.js';

/** The rejections in PostgreSQL, for every feature that reads or writes them. */
@Module({
  imports: [TypeOrmModule.forFeature([RejectionEntity])],
  providers: [RejectionsRepository],
  exports: [RejectionsRepository],
})
export class RejectionsRepositoryModule {}
