import { Injectable } from '@nestjs/common';
import { type Page, readPage } from '../platform/paging/page.js';
import { type AuditEntry, AuditRepository } from './audit.repository.js';
import type { ListAuditDto } from './dto/list-audit.dto.js';

/** Lists who changed applications, keys and event types. */
@Injectable()
export class AuditService {
  constructor(private readonly repository: AuditRepository) {}

  /**
   * A page of changes, newest first.
   * @throws CursorError, DatabaseUnavailableError
   */
  list(dto: ListAuditDto): Promise<Page<AuditEntry>> {
    const { application, action, timestamp_after, timestamp_before } = dto;
    const filter = { application, action, timestamp_after, timestamp_before };
    return readPage(
      {
        newestFirst: true,
        query: JSON.stringify(['audit', filter]),
        cursorKey: ({ at, id }) => ({ timestamp: at, id }),
        find: (slice) => this.repository.find(filter, slice),
        count: () => this.repository.count(filter),
      },
      dto,
    );
  }
}
