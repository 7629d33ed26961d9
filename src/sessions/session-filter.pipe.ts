import type { ArgumentMetadata } from '@nestjs/common';
import { InvalidParametersError, unknownParameters } from '../platform/errors/domain-error.js';
import { FilterPipe } from '../platform/filters/filter.pipe.js';
import { ParameterErrors } from '../platform/filters/query-filter.js';
import type { SessionFilteredDto } from './dto/parameters.dto.js';
import { isSessionCondition, parseSessionFilter } from './session-filter.js';

/** Parses a query string with conditions on events and on whole sessions into a SessionFilteredDto. */
class SessionFilterPipe extends FilterPipe {
  /** @throws InvalidParametersError that names everything that is wrong */
  override async transform(query: object, metadata: ArgumentMetadata): Promise<SessionFilteredDto> {
    if (Object.hasOwn(query, 'sessionFilter')) throw unknownParameters(['sessionFilter']);
    const given = Object.entries(query) as [string, unknown][];
    const conditions = Object.fromEntries(given.filter(([name]) => isSessionCondition(name)));
    const others = Object.fromEntries(given.filter(([name]) => !isSessionCondition(name)));
    const errors = new ParameterErrors();
    const sessionFilter = parseSessionFilter(conditions, errors);
    try {
      const dto = (await super.transform(others, metadata)) as SessionFilteredDto;
      if (errors.any) throw new InvalidParametersError({});
      dto.sessionFilter = sessionFilter;
      return dto;
    } catch (error) {
      if (error instanceof InvalidParametersError)
        throw new InvalidParametersError({ ...error.errors, ...errors.errors });
      throw error;
    }
  }
}

export const sessionFilterPipe = new SessionFilterPipe();
