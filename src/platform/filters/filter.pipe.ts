import type { ArgumentMetadata } from '@nestjs/common';
import { type FieldErrors, InvalidParametersError, unknownParameters } from '../errors/domain-error.js';
import { QueryPipe } from '../paging/query.pipe.js';
import { type Filter, FILTER_FIELDS } from './filter.js';
import type { FilteredDto } from './filtered.dto.js';
import { isCondition, ParameterErrors, parseQueryFilter } from './query-filter.js';

/** Parses a query string with conditions into a FilteredDto. */
export class FilterPipe extends QueryPipe {
  /** @throws InvalidParametersError that names everything that is wrong */
  override async transform(query: object, metadata: ArgumentMetadata): Promise<FilteredDto> {
    const given = Object.entries(query) as [string, unknown][];
    if (Object.hasOwn(query, 'filter')) throw unknownParameters(['filter']);
    const conditions = Object.fromEntries(given.filter(([name]) => isCondition(name)));
    const others = Object.fromEntries(given.filter(([name]) => !isCondition(name)));
    const errors = new ParameterErrors();
    const filter = parseQueryFilter(conditions, errors);
    const dto = await this.parse(others, metadata, errors.errors);
    const equalities = FILTER_FIELDS.flatMap((field): Filter[] => {
      const value = dto[field];
      return value === undefined ? [] : [{ kind: 'in', property: { kind: 'field', field }, values: [value] }];
    });
    dto.filter = { kind: 'all', filters: [...equalities, filter] };
    return dto;
  }

  private async parse(query: object, metadata: ArgumentMetadata, errors: FieldErrors): Promise<FilteredDto> {
    try {
      const dto = (await super.transform(query, metadata)) as FilteredDto;
      if (Object.keys(errors).length > 0) throw new InvalidParametersError({});
      return dto;
    } catch (error) {
      if (error instanceof InvalidParametersError)
        throw new InvalidParametersError({ ...error.errors, ...errors });
      throw error;
    }
  }
}

export const filterPipe = new FilterPipe();
