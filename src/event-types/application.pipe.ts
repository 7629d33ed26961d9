import { createParamDecorator, type ExecutionContext, Injectable, type PipeTransform } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Caller } from '../auth/caller.js';
import { InvalidParametersError } from '../platform/errors/domain-error.js';
import { EventTypesService } from './event-types.service.js';

interface NamedApplication {
  /** The query parameter `application`. */
  readonly named: unknown;
  readonly caller: Caller;
}

/** Hands the parameter `application` and the caller to a pipe. */
const NamedApplication = createParamDecorator((_: unknown, context: ExecutionContext): NamedApplication => {
  const { query, caller } = context.switchToHttp().getRequest<FastifyRequest>();
  return { named: (query as { application?: unknown }).application, caller };
});

/** Finds the application whose types a request is about. */
@Injectable()
export class ApplicationPipe implements PipeTransform<NamedApplication, Promise<string>> {
  constructor(private readonly eventTypes: EventTypesService) {}

  /** @throws InvalidParametersError, NotFoundError, DatabaseUnavailableError */
  async transform({ named, caller }: NamedApplication): Promise<string> {
    if (named !== undefined && typeof named !== 'string')
      throw new InvalidParametersError({ application: ['Must be given once.'] });
    return this.eventTypes.applicationOf(named, caller);
  }
}

/** The application whose types a request is about: that of the query, otherwise that of the caller. */
export const OfApplication = (): ParameterDecorator => NamedApplication(ApplicationPipe);
