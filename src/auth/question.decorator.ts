import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  SetMetadata,
  UseInterceptors,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { defer, lastValueFrom, type Observable } from 'rxjs';
import { ApiProblems } from '../platform/http/api-problems.js';
import { type AskOptions, ClickHouseQuestions, Questions } from '../platform/questions/questions.js';
import { whileWanted } from '../platform/questions/while-wanted.js';

const OPTIONS = 'question';

/** Decides by the parameters of a request, which need not be valid, whether ClickHouse answers it. */
type AsksClickHouse = (query: Readonly<Record<string, unknown>>) => boolean;

interface QuestionOptions extends Pick<AskOptions, 'isHeavy'> {
  readonly asksClickHouse: AsksClickHouse;
}

/** Admits a request as a question of its caller to the server that answers it, until its handler has returned. */
@Injectable()
export class QuestionInterceptor implements NestInterceptor {
  constructor(
    private readonly questions: Questions,
    private readonly clickHouseQuestions: ClickHouseQuestions,
    private readonly reflector: Reflector,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const { caller, query } = http.getRequest<FastifyRequest>();
    const { asksClickHouse, ...options } = this.reflector.get<QuestionOptions>(OPTIONS, context.getHandler());
    const read = (): Promise<unknown> => lastValueFrom(next.handle());
    if (!asksClickHouse(query as Record<string, unknown>))
      return defer(() => this.questions.ask(caller, read, options));
    const { raw } = http.getResponse<FastifyReply>();
    return defer(() =>
      whileWanted(raw, (signal) => this.clickHouseQuestions.ask(caller, read, { isHeavy: true, signal })),
    );
  }
}

const question = (options: QuestionOptions): MethodDecorator =>
  applyDecorators(SetMetadata(OPTIONS, options), UseInterceptors(QuestionInterceptor), ApiProblems(429, 503));

/**
 * Declares that a route reads PostgreSQL for its caller. Its requests wait for one of the connections of questions, which
 * keys share fairly, and are charged for the work.
 *
 * @example `@PostgresQuestion()` below `@Allow('read')`
 */
export const PostgresQuestion = (options: Pick<AskOptions, 'isHeavy'> = {}): MethodDecorator =>
  question({ ...options, asksClickHouse: () => false });

/**
 * Declares that a route asks ClickHouse for its caller, in the same way. Its statements are cancelled when the client leaves,
 * and after QUESTION_TIMEOUT_MS.
 *
 * @example `@ClickHouseQuestion()` below `@Allow('read')`
 */
export const ClickHouseQuestion = (): MethodDecorator =>
  applyDecorators(question({ asksClickHouse: () => true }), ApiProblems(422));

/** Declares that a route is a `@PostgresQuestion()` or a `@ClickHouseQuestion()`, by its parameters. */
export const EitherQuestion = (
  asksClickHouse: AsksClickHouse,
  options: Pick<AskOptions, 'isHeavy'> = {},
): MethodDecorator => applyDecorators(question({ ...options, asksClickHouse }), ApiProblems(422));
