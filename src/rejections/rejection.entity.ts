import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { FieldErrors } from '../platform/errors/domain-error.js';
import type { RejectionOutcome, RejectionCode } from '../platform/model/rejection.js';

/** A refused event, kept as it was sent, so that it can be read and retried. */
@Entity('rejections')
@Index('rejections_set_aside', ['event_id'], { unique: true, where: "outcome = 'set_aside'" })
@Index('rejections_rejected_at', ['rejected_at', 'id'])
@Index('rejections_application', ['application', 'rejected_at', 'id'])
@Index('rejections_application_code', ['application', 'code', 'rejected_at', 'id'])
@Index('rejections_code', ['code', 'rejected_at', 'id'])
@Index('rejections_outcome', ['outcome', 'rejected_at', 'id'])
@Index('rejections_session', ['session_id', 'rejected_at', 'id'])
@Index('rejections_category', ['category', 'rejected_at', 'id'])
@Index('rejections_name', ['name', 'rejected_at', 'id'])
@Index('rejections_type', ['category', 'name', 'rejected_at', 'id'])
export class RejectionEntity {
  /** Id of the rejection: a UUIDv8 that sorts by time. */
  @PrimaryColumn('uuid')
  id: string;

  /** Id of the event, if it was accepted. */
  @Column('uuid', { nullable: true })
  event_id: string | null;

  @Column('text')
  application: string;

  @Column('text')
  code: RejectionCode;

  /** Messages by field. */
  @Column('jsonb')
  errors: FieldErrors;

  /** JSON text, because the event may contain what jsonb refuses. Null if it was not read. */
  @Column('text', { nullable: true })
  event: string | null;

  /** False if `event` was cut. */
  @Column('boolean')
  whole: boolean;

  @Column('text')
  outcome: RejectionOutcome;

  @Column('text', { nullable: true })
  session_id: string | null;

  @Column('text', { nullable: true })
  category: string | null;

  @Column('text', { nullable: true })
  name: string | null;

  /** The protocol that `event` is in; null for The Eye's own. */
  @Column('text', { nullable: true })
  dialect: string | null;

  @Column({ type: 'timestamptz', precision: 6 })
  rejected_at: string;
}
